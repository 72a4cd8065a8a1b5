"""What is done to files in a local folder: blocking, on an open directory, durable.

Everything goes through one directory handle per operation, so that no name can lead out of
the folder and a share that is remounted in between is noticed, not half used.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from countersign_export_worker.connectors.atomic_rename import is_there, rename_new
from countersign_export_worker.errors import NameTaken, TokenGone, TransientDeliveryError
from countersign_export_worker.file_names import DropName, parse_drop_name
from countersign_export_worker.ports import Whereabouts

_FILE_MODE = 0o644
_WRITE_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


@contextmanager
def open_folder(path: Path) -> Iterator[int]:
    """The folder's handle, closed at the end."""
    folder = os.open(path, _OPEN_FOLDER)
    try:
        yield folder
    finally:
        os.close(folder)


def place_of(folder: int) -> str:
    """What tells this folder from another one mounted, or not mounted, at the same path."""
    return f"{os.fstat(folder).st_ino:x}"


def stage(path: Path, name: DropName, document: bytes) -> DropName:
    """Write the whole document under the temporary name; see ErpConnectorPort.stage."""
    with open_folder(path) as folder:
        token = name.at(place_of(folder))
        write_new(folder, str(token), document)
        return token


def write_new(folder: int, name: str, data: bytes) -> None:
    """Create `name` with `data`, on disk when this returns; on an error nothing remains."""
    handle = _create(folder, name)
    try:
        try:
            _write_all(handle, data)
            os.fsync(handle)
        finally:
            os.close(handle)
        os.fsync(folder)
    except BaseException:
        with suppress(OSError):
            os.unlink(name, dir_fd=folder)
        raise


def _create(folder: int, name: str) -> int:
    try:
        return os.open(name, _WRITE_NEW, _FILE_MODE, dir_fd=folder)
    except FileExistsError:
        # The fence in the name is ours alone, so this is our own earlier try.
        os.unlink(name, dir_fd=folder)
        return os.open(name, _WRITE_NEW, _FILE_MODE, dir_fd=folder)


def _write_all(handle: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        written = os.write(handle, rest)
        rest = rest[written:]


def publish(path: Path, token: DropName) -> None:
    """Token → final name; see ErpConnectorPort.publish."""
    with open_folder(path) as folder:
        try:
            _take_token(folder, token, token.final)
        except FileExistsError as error:
            raise NameTaken(token.final) from error


def withdraw(path: Path, token: DropName) -> None:
    """Token → withdrawn name; see ErpConnectorPort.withdraw."""
    with open_folder(path) as folder:
        _take_token(folder, token, str(token.taken_back()))


def _take_token(folder: int, token: DropName, target: str) -> None:
    try:
        rename_new(folder, str(token), target)
    except FileNotFoundError as error:
        _require_place(folder, token)
        raise TokenGone(str(token)) from error
    os.fsync(folder)


def trace(path: Path, token: DropName) -> Whereabouts:
    """Where the file stands; see ErpConnectorPort.trace."""
    with open_folder(path) as folder:
        # Whoever renamed it may have died before its fsync.
        os.fsync(folder)
        for name, whereabouts in (
            (str(token), Whereabouts.STAGED),
            (str(token.taken_back()), Whereabouts.WITHDRAWN),
            (token.final, Whereabouts.PUBLISHED),
        ):
            if is_there(folder, name):
                return whereabouts
        _require_place(folder, token)
        return Whereabouts.GONE


def _require_place(folder: int, token: DropName) -> None:
    if place_of(folder) != token.place:
        raise TransientDeliveryError(
            "FOLDER_CHANGED",
            "The folder is not the one that the file was staged in (is the share mounted?).",
        )


def discard(path: Path, name: DropName) -> None:
    """Delete a temporary or withdrawn file, if it is there."""
    with open_folder(path) as folder, suppress(FileNotFoundError):
        os.unlink(str(name), dir_fd=folder)


def list_leftovers(path: Path) -> list[DropName]:
    """Every temporary and withdrawn file of ours, in no order."""
    with open_folder(path) as folder, os.scandir(folder) as entries:
        found = (parse_drop_name(entry.name) for entry in entries)
        return [name for name in found if name is not None]


def read_regular(folder: int, name: str, limit: int) -> bytes:
    """A plain file's bytes, at most `limit` of them.

    Raises:
        OSError: EFBIG when it is longer; ELOOP when it is a link.
    """
    handle = os.open(
        name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder
    )
    with os.fdopen(handle, "rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), name)
    return data
