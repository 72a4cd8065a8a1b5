"""The ERP's answers in a local folder. Blocking; ack_files says what an answer is."""

import errno
import os
from contextlib import suppress
from pathlib import Path

from countersign_export_worker.connectors.ack_files import (
    MAX_BYTES,
    MOST,
    AckMode,
    is_ack_name,
    malformed,
    read_ack,
    unsettled,
)
from countersign_export_worker.connectors.folder_files import (
    make_folder,
    open_folder,
    read_regular,
)
from countersign_export_worker.ports import AckFile


def read_acks(path: Path, mode: AckMode = AckMode.JSON) -> list[AckFile]:
    """The answers that wait, first name first."""
    with open_folder(path) as folder:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if is_ack_name(entry.name))
        found = (_read(folder, name, mode) for name in names[:MOST])
        return [ack for ack in found if ack is not None]


def file_ack(path: Path, name: str, *, understood: bool, folder_mode: int = 0o755) -> None:
    """Move an answer to `processed` or `error`; nothing happens when it is gone already."""
    target = "processed" if understood else "error"
    with open_folder(path) as folder:
        make_folder(folder, target, folder_mode)
        with open_folder(path / target) as place, suppress(FileNotFoundError):
            os.rename(name, name, src_dir_fd=folder, dst_dir_fd=place)


def _read(folder: int, name: str, mode: AckMode) -> AckFile | None:
    try:
        return _read_regular(folder, name, mode)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno in (errno.EFBIG, errno.ELOOP, errno.EISDIR):
            return malformed(name)
        raise


def _read_regular(folder: int, name: str, mode: AckMode) -> AckFile:
    try:
        return read_ack(name, read_regular(folder, name, MAX_BYTES), mode)
    except ValueError:
        now = os.stat(name, dir_fd=folder, follow_symlinks=False)
        return unsettled(name, now.st_size, now.st_mtime_ns)
