"""What a connection's settings say to the SFTP transport, in its own terms."""

from dataclasses import dataclass
from pathlib import PurePosixPath

from countersign_export_worker.connectors.sftp_login import SftpServer


@dataclass(frozen=True)
class SftpSettings:
    """Folders are absolute paths on the server; modes are permission bits; times in seconds."""

    server: SftpServer
    export_path: PurePosixPath
    temporary_path: PurePosixPath
    ack_path: PurePosixPath | None = None
    ack_mode: str = "json"
    atomic_write: bool = True
    # Of temporary names, without the dot; "" for no done-file, else ".ok" or the like.
    temporary_suffix: str = "tmp"
    done_suffix: str = ""
    file_mode: int = 0o644
    folder_mode: int = 0o755
    transfer_timeout: float = 60.0
    # Connections to the server that this worker opens at most.
    connections: int = 4

    def __str__(self) -> str:
        return f"{self.server.host}:{self.export_path}"
