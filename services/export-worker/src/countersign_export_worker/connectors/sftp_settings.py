"""What a connection's settings say to the SFTP transport."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from countersign_export_worker.assignment import ConnectionAccess
from countersign_export_worker.connectors.dropzone_options import DropzoneOptions, bad_config
from countersign_export_worker.connectors.sftp_host_keys import PinnedHostKeys
from countersign_export_worker.connectors.sftp_login import SftpServer

_MOST_PORT = 65535
_MOST_SECONDS = 3600.0
_CONNECTIONS = 4


@dataclass(frozen=True, slots=True)
class SftpSettings:
    """The server, and what is done there; times in seconds.

    `connections` is how many connections to the server this worker opens at most.
    """

    server: SftpServer
    options: DropzoneOptions
    transfer_timeout: float = 60.0
    connections: int = _CONNECTIONS

    def __str__(self) -> str:
        return f"{self.server.host}:{self.options.export_path}"


def sftp_settings(config: Mapping[str, Any], access: ConnectionAccess) -> SftpSettings:
    """From a connection's settings and secrets.

    Raises:
        PermanentDeliveryError: BAD_CONFIG; push checks the same before it saves.
    """
    server = SftpServer(
        host=_text(config, "host"),
        port=_port(config),
        username=_text(config, "username"),
        host_keys=PinnedHostKeys(_lines(config, "host_keys")),
        secrets=access.secrets,
        connect_timeout=_seconds(config, "connect_timeout_seconds", 10.0),
        keepalive=_seconds(config, "keepalive_seconds", 15.0),
    )
    return SftpSettings(
        server=server,
        options=DropzoneOptions.parse(config),
        transfer_timeout=_seconds(config, "transfer_timeout_seconds", 60.0),
        connections=access.concurrency or _CONNECTIONS,
    )


def _text(config: Mapping[str, Any], key: str) -> str:
    value = config.get(key)
    if not isinstance(value, str) or not value or "\0" in value:
        raise bad_config(f"{key} is needed")
    return value


def _port(config: Mapping[str, Any]) -> int:
    value = config.get("port", 22)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _MOST_PORT:
        raise bad_config(f"port must be a number from 1 to {_MOST_PORT}")
    return value


def _lines(config: Mapping[str, Any], key: str) -> list[str]:
    value = config.get(key)
    if not isinstance(value, list) or not all(isinstance(line, str) for line in value):
        raise bad_config(f"{key} must be a list of public keys")
    return value


def _seconds(config: Mapping[str, Any], key: str, default: float) -> float:
    value = config.get(key, default)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 < value <= _MOST_SECONDS:
        raise bad_config(f"{key} must be a number of seconds")
    return float(value)
