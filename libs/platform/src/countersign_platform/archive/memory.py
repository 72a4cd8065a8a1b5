"""The twin of every archive: it keeps what it is given until the process ends."""

from collections.abc import AsyncIterator

from countersign_platform.archive.port import ArchiveConflict, NotArchived, checked_key


class MemoryArchive:
    """For tests, and for trying things out; nothing outlives the process."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    async def put(self, key: str, data: bytes) -> None:
        """See Archive."""
        if self.objects.setdefault(checked_key(key), data) != data:
            raise ArchiveConflict(key)

    async def get(self, key: str) -> bytes:
        """See Archive."""
        try:
            return self.objects[checked_key(key)]
        except KeyError:
            raise NotArchived(key) from None

    async def exists(self, key: str) -> bool:
        """See Archive."""
        return checked_key(key) in self.objects

    async def list_keys(self, prefix: str = "") -> AsyncIterator[str]:
        """See Archive."""
        below = f"{checked_key(prefix)}/" if prefix else ""
        for key in list(self.objects):
            if key.startswith(below):
                yield key
