"""An archive in a folder: one file per key, whole or not there, and still there after a crash.

A file is written and synced in `.incoming`, then linked to its name, which only one writer
can do, then the folder is synced. What a killed writer leaves in `.incoming` is removed when
the folder is opened a day later.
"""

import asyncio
import errno
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self, TypeVar
from uuid import uuid4

from countersign_core.errors import Unavailable
from countersign_platform.archive.port import ArchiveConflict, NotArchived, checked_key
from countersign_platform.shared_calls import SharedCalls

_INCOMING = ".incoming"
_LEFTOVER_SECONDS = 24 * 3600
_FOLDER_MODE = 0o750
_FILE_MODE = 0o640
# File systems without hard links: FAT, SMB shares.
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})

# Enough of them to share what a thread and a sync cost; on a slow disk, one behind the other.
_FILES_PER_SYNC, _THREADS = 8, 4

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Put:
    key: str
    data: bytes


class FolderArchive:
    """Everything lies below `root`; a root that is not there means a mount that is gone."""

    def __init__(self, root: Path, timeout_seconds: float) -> None:
        """Use `open`."""
        self._root = root
        self._incoming = root / _INCOMING
        self._timeout = timeout_seconds
        self._swept = False
        self._puts = SharedCalls(
            self._put_alone, self._put_together, most=_FILES_PER_SYNC, at_once=_THREADS
        )

    @classmethod
    def open(cls, root: Path, timeout_seconds: float) -> Self:
        """Creates `root` where it can, this once.

        `timeout_seconds` bounds each call: a network mount can hang.
        """
        with suppress(OSError):
            root.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        return cls(root, timeout_seconds)

    async def put(self, key: str, data: bytes) -> None:
        """See Archive; files that are put at the same time share a thread and a folder's sync."""
        await self._puts.ask(_Put(checked_key(key), data))

    async def get(self, key: str) -> bytes:
        """See Archive."""
        return await self._run(partial(self._get, checked_key(key)))

    async def exists(self, key: str) -> bool:
        """See Archive."""
        return await self._run(self._path(checked_key(key)).is_file)

    async def list_keys(self, prefix: str = "") -> AsyncIterator[str]:
        """See Archive; a listing is as fresh as each folder was when it was read."""
        waiting = [checked_key(prefix) if prefix else ""]
        while waiting:
            folder = waiting.pop()
            keys, folders = await self._run(partial(self._list, folder))
            waiting += folders
            for key in keys:
                yield key

    async def _put_alone(self, put: "_Put") -> None:
        await self._run(partial(self._put, put))

    async def _put_together(self, puts: Sequence["_Put"]) -> Sequence[Exception | None]:
        return await self._run(partial(self._put_all, puts))

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            async with asyncio.timeout(self._timeout):
                with _failures_mapped():
                    return await asyncio.to_thread(self._at_root, work)
        except TimeoutError as error:
            raise Unavailable("The archive takes too long") from error

    def _at_root(self, work: Callable[[], T]) -> T:
        # Neither is a document lost nor is a key free because a mount is gone.
        if not self._root.is_dir():
            raise Unavailable("The archive's folder is not there")
        return work()

    def _put(self, put: "_Put") -> None:
        [error] = self._put_all([put])
        if error is not None:
            raise error

    def _put_all(self, puts: Sequence["_Put"]) -> list[Exception | None]:
        """What kept each of them from being there, if anything did."""
        errors = [_error_of(partial(self._put_file, put)) for put in puts]
        # Also for what was there: its writer may have died just before this.
        folders = {self._path(put.key).parent for put in puts}
        unsynced = {folder: _error_of(partial(_sync, folder)) for folder in folders}
        return [
            error or unsynced[self._path(put.key).parent]
            for put, error in zip(puts, errors, strict=True)
        ]

    def _put_file(self, put: "_Put") -> None:
        path = self._path(put.key)
        if path.is_file():
            self._compare(put.key, put.data)
        else:
            self._write(path, put.key, put.data)

    def _write(self, path: Path, key: str, data: bytes) -> None:
        self._make(self._incoming)
        self._sweep()
        staged = self._incoming / uuid4().hex
        try:
            _write_synced(staged, data)
            self._make(path.parent)
            _take_name(staged, path)
        except FileExistsError:
            self._compare(key, data)
        finally:
            staged.unlink(missing_ok=True)

    def _compare(self, key: str, data: bytes) -> None:
        try:
            if self._get(key) != data:
                raise ArchiveConflict(key)
        except NotArchived as error:
            raise Unavailable("The archive's folder has the name, and no file") from error

    def _get(self, key: str) -> bytes:
        try:
            return self._path(key).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise NotArchived(key) from None

    def _list(self, folder: str) -> tuple[list[str], list[str]]:
        keys: list[str] = []
        folders: list[str] = []
        # Neither an empty archive nor a key that is a file has anything below it.
        with (
            suppress(FileNotFoundError, NotADirectoryError),
            os.scandir(self._path(folder)) as found,
        ):
            for entry in found:
                if not entry.name.startswith("."):
                    name = f"{folder}/{entry.name}" if folder else entry.name
                    (folders if entry.is_dir() else keys).append(name)
        return keys, folders

    def _path(self, key: str) -> Path:
        return self._root / key

    def _make(self, folder: Path) -> None:
        """Create `folder` and what is missing above it, each name synced."""
        if folder.is_dir():
            return
        self._make(folder.parent)
        folder.mkdir(mode=_FOLDER_MODE, exist_ok=True)
        _sync(folder.parent)

    def _sweep(self) -> None:
        if self._swept:
            return
        self._swept = True
        oldest = time.time() - _LEFTOVER_SECONDS
        for file in self._incoming.iterdir():
            with suppress(FileNotFoundError):
                if file.stat().st_mtime < oldest:
                    file.unlink()


def _error_of(work: Callable[[], None]) -> Exception | None:
    try:
        with _failures_mapped():
            work()
    except (ArchiveConflict, Unavailable) as error:
        return error
    return None


def _take_name(staged: Path, path: Path) -> None:
    try:
        os.link(staged, path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # Two at once may both get here; what is kept is whole either way.
        if path.exists():
            raise FileExistsError from error
        staged.rename(path)


def _write_synced(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _failures_mapped() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if isinstance(error, TimeoutError):
            raise
        raise Unavailable(f"The archive's folder: {error.strerror or error}") from error
