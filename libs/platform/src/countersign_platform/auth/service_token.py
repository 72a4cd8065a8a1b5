"""The token that a process presents to other services."""

from pathlib import Path

from countersign_core.errors import Unavailable


class ServiceToken:
    """One JWT in a file, read again whenever the file changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._value = ""

    def value(self) -> str:
        """The token as it stands in the file now.

        Raises:
            Unavailable: there is no token in the file and never was.
        """
        try:
            status = self._path.stat()
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            if stamp != self._stamp:
                self._read(stamp)
        except (OSError, UnicodeDecodeError) as error:
            if not self._value:
                raise Unavailable("The service token cannot be read") from error
        if not self._value:
            raise Unavailable("The service token's file is empty")
        return self._value

    def _read(self, stamp: tuple[int, int, int]) -> None:
        value = self._path.read_text(encoding="ascii").strip()
        if value:  # an empty file is one that is being written
            self._value, self._stamp = value, stamp
