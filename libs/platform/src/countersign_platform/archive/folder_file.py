"""How a file comes into a folder archive: whole or not at all, however many come at once.

Step by step, each step for all of them before the next begins: a file system that keeps a journal
then writes it once for all that are synced, not once for each.
"""

import errno
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import uuid4

from countersign_core.errors import Unavailable
from countersign_platform.archive.port import ArchiveConflict

_FILE_MODE = 0o640
# File systems without hard links: FAT, SMB shares.
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})


class FolderFile:
    """One file on its way from `.incoming` to its name."""

    def __init__(
        self,
        key: str,
        data: bytes,
        *,
        path: Path,
        incoming: Path,
        error: Exception | None = None,
    ) -> None:
        """`path`: its name; `incoming`: the folder where it is written first.

        `error`: what kept its own folder from being there.
        """
        self._key = key
        self._data = data
        self._path = path
        self._staged = incoming / uuid4().hex
        self._descriptor: int | None = None
        self._is_there = False
        # What keeps it from being in the archive.
        self.error = error

    def _write(self) -> None:
        if os.path.lexists(self._path):
            self._compare()
            return
        self._descriptor = os.open(
            self._staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE_MODE
        )
        rest = memoryview(self._data)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]

    def _sync(self) -> None:
        assert self._descriptor is not None
        os.fsync(self._descriptor)

    def _take_name(self) -> None:
        try:
            os.link(self._staged, self._path)
        except FileExistsError:
            self._compare()
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            # Two at once may both get here; what is kept is whole either way.
            if os.path.lexists(self._path):
                self._compare()
            else:
                self._staged.rename(self._path)

    def _compare(self) -> None:
        try:
            kept = self._path.read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise Unavailable("The archive's folder has the name, and no file") from error
        if kept != self._data:
            raise ArchiveConflict(self._key)
        self._is_there = True

    def _go(self, step: "Callable[[FolderFile], None]") -> None:
        if self.error is None and not self._is_there:
            self.error = failure_of(lambda: step(self))

    def _tidy(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._staged.unlink(missing_ok=True)


def bring_in(files: Sequence[FolderFile]) -> None:
    """Every file under its name, or with an `error`; the names are not synced yet."""
    try:
        for step in (FolderFile._write, FolderFile._sync, FolderFile._take_name):  # noqa: SLF001
            for file in files:
                file._go(step)  # noqa: SLF001
    finally:
        for file in files:
            file._tidy()  # noqa: SLF001


def failure_of(work: Callable[[], object]) -> Exception | None:
    """What an archive says of a failure in `work`, if there was one."""
    try:
        work()
    except (ArchiveConflict, Unavailable) as error:
        return error
    except TimeoutError:
        raise
    except OSError as error:
        return away(error)
    return None


def away(error: OSError) -> Unavailable:
    """A folder that cannot be worked in is an archive that is away."""
    unavailable = Unavailable(f"The archive's folder: {error.strerror or error}")
    unavailable.__cause__ = error
    return unavailable
