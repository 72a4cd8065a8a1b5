"""An archive in a folder: one file per key, whole or not there, and still there after a crash.

A file is written and synced in `.incoming`, then linked to its name, which only one writer
can do, then the folder is synced. What a killed writer leaves in `.incoming` is removed when
the folder is opened a day later.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

from countersign_core.errors import Unavailable
from countersign_platform.archive.folder_file import FolderFile, away, bring_in, failure_of
from countersign_platform.archive.port import NotArchived, checked_key
from countersign_platform.turns import turns

_INCOMING = ".incoming"
_LEFTOVER_SECONDS = 24 * 3600
_FOLDER_MODE = 0o750

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
        self._puts = turns(self._put_alone, self._put_together)

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
        folders = {self._path(put.key).parent for put in puts}
        self._make(self._incoming)
        self._sweep()
        unmade = {folder: failure_of(partial(self._make, folder)) for folder in folders}
        files = [self._file(put, unmade[self._path(put.key).parent]) for put in puts]
        bring_in(files)
        # Also for what was there: its writer may have died just before this.
        unsynced = {folder: failure_of(partial(_sync, folder)) for folder in folders}
        return [
            file.error or unsynced[self._path(put.key).parent]
            for put, file in zip(puts, files, strict=True)
        ]

    def _file(self, put: "_Put", error: Exception | None) -> FolderFile:
        path = self._path(put.key)
        return FolderFile(put.key, put.data, path=path, incoming=self._incoming, error=error)

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
    except TimeoutError:
        raise
    except OSError as error:
        raise away(error) from error
