"""What is done to files in a local folder: blocking, on open directories, durable.

Everything goes through directory handles, so that no name can lead out of a folder and a share
that is remounted in between is noticed, not half used.

With a done-file there are two tokens: the document's, and `<token>.done`, an empty file that is
renamed to `<final><suffix>` after the document was. Each rename can be made once, so a worker
that wakes up late announces nothing twice.
"""

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from countersign_export_worker.connectors.atomic_rename import is_there, rename_new
from countersign_export_worker.connectors.dropzone_options import DropzoneOptions
from countersign_export_worker.errors import (
    DeliveryError,
    NameTaken,
    PermanentDeliveryError,
    TokenGone,
    TransientDeliveryError,
)
from countersign_export_worker.file_names import DropName, parse_drop_name
from countersign_export_worker.ports import Whereabouts

_WRITE_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_DONE = ".done"

_T = TypeVar("_T")


@contextmanager
def open_folder(path: Path) -> Iterator[int]:
    """The folder's handle, closed at the end."""
    folder = os.open(path, _OPEN_FOLDER)
    try:
        yield folder
    finally:
        os.close(folder)


def make_folder(parent: int, name: str, mode: int) -> None:
    """A folder with exactly these permissions; one that is there stays as it is."""
    with suppress(FileExistsError):
        os.mkdir(name, mode, dir_fd=parent)
        os.chmod(name, mode, dir_fd=parent)


def place_of(folder: int) -> str:
    """What tells this folder from another one mounted, or not mounted, at the same path."""
    return f"{os.fstat(folder).st_ino:x}"


@dataclass(frozen=True, slots=True)
class Drop:
    """A dropzone's two folders, open: where files are written, and where the ERP looks."""

    options: DropzoneOptions
    temporary: int
    final: int

    def folder_of(self, token: DropName) -> int:
        """Where this token was written, if it is one of the two; else where it would be now."""
        for folder in (self.temporary, self.final):
            if place_of(folder) == token.place:
                return folder
        return self.temporary

    def sync(self, folder: int) -> None:
        """Make renames durable; both folders where they are two."""
        os.fsync(folder)
        if folder != self.final:
            os.fsync(self.final)


@contextmanager
def open_drop(options: DropzoneOptions, *, make: bool = False) -> Iterator[Drop]:
    """Both folders; `make`: a temporary folder that is missing is made."""
    with ExitStack() as opened:
        final = opened.enter_context(open_folder(Path(options.export_path)))
        temporary = final
        if options.temporary_path != options.export_path:
            temporary = opened.enter_context(_open_temporary(options, make=make))
        yield Drop(options, temporary, final)


@contextmanager
def _open_temporary(options: DropzoneOptions, *, make: bool) -> Iterator[int]:
    path = Path(options.temporary_path)
    if make and not path.exists():
        with open_folder(path.parent) as parent:
            make_folder(parent, path.name, options.folder_mode)
    with open_folder(path) as folder:
        yield folder


def stage(options: DropzoneOptions, name: DropName, document: bytes) -> DropName:
    """Write the whole document under the temporary name; see ErpConnectorPort.stage."""
    return _only(stage_all(options, [(name, document)]))


def stage_all(
    options: DropzoneOptions, files: Sequence[tuple[DropName, bytes]]
) -> list[DropName | Exception]:
    """As `stage` for each, in their order.

    All are written before the first is synced: a file system that keeps a journal then writes it
    once for all of them, not once for each.
    """
    with open_drop(options, make=True) as drop, ExitStack() as opened:
        parts = [_Part(drop, name) for name, _ in files]
        for part, (_, document) in zip(parts, files, strict=True):
            part.write(document, opened)
        for part in parts:
            part.sync()
        unsynced = _error_of(partial(os.fsync, drop.temporary))
        return [part.staged(unsynced) for part in parts]


class _Part:
    """A file that is being staged, and its done-file; after an error nothing of them remains."""

    def __init__(self, drop: Drop, name: DropName) -> None:
        self._drop = drop
        self._token = name.ending_in(drop.options.temporary_suffix).at(place_of(drop.temporary))
        self._handles: list[int] = []
        self._error: Exception | None = None

    def write(self, document: bytes, opened: ExitStack) -> None:
        """What was written is closed with `opened`."""
        try:
            if self._drop.options.done_suffix:
                self._write(f"{self._token}{_DONE}", b"", opened)
            self._write(str(self._token), document, opened)
        except OSError as error:
            self._fail(error)
        except BaseException:
            self._remove()
            raise

    def sync(self) -> None:
        """Contents on disk."""
        try:
            for handle in self._handles:
                os.fsync(handle)
        except OSError as error:
            self._fail(error)

    def staged(self, unsynced: Exception | None) -> DropName | Exception:
        """The token, or what went wrong; `unsynced`: what kept the names from the disk."""
        if unsynced is not None:
            self._fail(unsynced)
        return self._error or self._token

    def _write(self, name: str, data: bytes, opened: ExitStack) -> None:
        mode = self._drop.options.file_mode
        handle = _create(self._drop.temporary, name, mode)
        opened.callback(os.close, handle)
        os.fchmod(handle, mode)  # whatever the umask took away
        _write_all(handle, data)
        self._handles.append(handle)

    def _fail(self, error: Exception) -> None:
        if self._error is None:
            self._error = error
            self._remove()

    def _remove(self) -> None:
        for name in (f"{self._token}{_DONE}", str(self._token)):
            with suppress(OSError):
                os.unlink(name, dir_fd=self._drop.temporary)


def _create(folder: int, name: str, mode: int) -> int:
    try:
        return os.open(name, _WRITE_NEW, mode, dir_fd=folder)
    except FileExistsError:
        # The fence in the name is ours alone, so this is our own earlier try.
        os.unlink(name, dir_fd=folder)
        return os.open(name, _WRITE_NEW, mode, dir_fd=folder)


def _write_all(handle: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        written = os.write(handle, rest)
        rest = rest[written:]


def publish(options: DropzoneOptions, token: DropName) -> None:
    """Token → final name; see ErpConnectorPort.publish."""
    _only(publish_all(options, [token]))


def publish_all(options: DropzoneOptions, tokens: Sequence[DropName]) -> list[Exception | None]:
    """As `publish` for each, in their order, with one sync of all renames."""
    with open_drop(options) as drop:
        errors = [_error_of(partial(_take_final_name, drop, token)) for token in tokens]
        published = [token for token, error in zip(tokens, errors, strict=True) if error is None]
        if not published:
            return errors
        unsynced = _error_of(partial(_make_durable, drop, published))
        return [error or unsynced for error in errors]


def _take_final_name(drop: Drop, token: DropName) -> None:
    folder, done_suffix = drop.folder_of(token), drop.options.done_suffix
    announced = f"{token.final}{done_suffix}"
    if done_suffix and is_there(folder, str(token)) and is_there(drop.final, announced):
        raise NameTaken(announced)
    try:
        _take_token(drop, token, token.final, drop.final)
    except FileExistsError as error:
        raise NameTaken(token.final) from error


def _make_durable(drop: Drop, published: Sequence[DropName]) -> None:
    folders = {drop.folder_of(token) for token in published}
    for folder in folders:
        drop.sync(folder)
    if drop.options.done_suffix:
        # After the documents: the ERP takes what a done-file announces.
        for token in published:
            _announce(drop, token)
        for folder in folders:
            drop.sync(folder)


def withdraw(options: DropzoneOptions, token: DropName) -> None:
    """Token → withdrawn name; see ErpConnectorPort.withdraw."""
    with open_drop(options) as drop:
        folder = drop.folder_of(token)
        _take_token(drop, token, str(token.taken_back()), folder)
        drop.sync(folder)
        _remove(folder, f"{token}{_DONE}")


def _take_token(drop: Drop, token: DropName, target: str, into: int) -> None:
    """The one rename; it is on disk after `drop.sync`."""
    folder = drop.folder_of(token)
    try:
        rename_new(folder, str(token), target, into)
    except FileNotFoundError as error:
        _require_place(folder, token)
        raise TokenGone(str(token)) from error
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        raise PermanentDeliveryError(
            "BAD_CONFIG", "temporary_path is not on the file system of export_path."
        ) from error


def _announce(drop: Drop, token: DropName) -> None:
    """Show the done-file, unless somebody did; it is on disk after `drop.sync`."""
    folder = drop.folder_of(token)
    shown = f"{token.final}{drop.options.done_suffix}"
    with suppress(FileNotFoundError):
        try:
            rename_new(folder, f"{token}{_DONE}", shown, drop.final)
        except FileExistsError:
            _remove(folder, f"{token}{_DONE}")


def trace(options: DropzoneOptions, token: DropName) -> Whereabouts:
    """Where the file stands; see ErpConnectorPort.trace."""
    with open_drop(options) as drop:
        folder = drop.folder_of(token)
        # Whoever renamed it may have died before its fsync.
        drop.sync(folder)
        if is_there(folder, str(token)):
            return Whereabouts.STAGED
        if is_there(folder, str(token.taken_back())):
            return Whereabouts.WITHDRAWN
        if is_there(drop.final, token.final):
            if drop.options.done_suffix:
                _announce(drop, token)
                drop.sync(folder)
            return Whereabouts.PUBLISHED
        _require_place(folder, token)
        # An ERP that takes documents without waiting for their done-files needs none.
        _remove(folder, f"{token}{_DONE}")
        return Whereabouts.GONE


def _require_place(folder: int, token: DropName) -> None:
    if place_of(folder) != token.place:
        raise TransientDeliveryError(
            "FOLDER_CHANGED",
            "The folder is not the one that the file was staged in (is the share mounted?).",
        )


def discard(options: DropzoneOptions, name: DropName) -> None:
    """Delete a temporary or withdrawn file, if it is there."""
    with open_drop(options) as drop:
        for folder in {drop.temporary, drop.final}:
            _remove(folder, str(name))
            if not name.withdrawn:
                _remove(folder, f"{name}{_DONE}")


def _remove(folder: int, name: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)


def list_leftovers(options: DropzoneOptions) -> list[DropName]:
    """Every temporary and withdrawn file of ours, in no order."""
    found: dict[DropName, None] = {}
    with open_drop(options, make=True) as drop:
        for folder in {drop.temporary, drop.final}:
            with os.scandir(folder) as entries:
                for entry in entries:
                    name = parse_drop_name(entry.name.removesuffix(_DONE))
                    if name is not None:
                        found[name] = None
    return list(found)


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


def _error_of(work: Callable[[], None]) -> Exception | None:
    try:
        work()
    except (OSError, DeliveryError, NameTaken, TokenGone) as error:
        return error
    return None


def _only(results: Sequence[_T | Exception]) -> _T:
    [result] = results
    if isinstance(result, Exception):
        raise result
    return result
