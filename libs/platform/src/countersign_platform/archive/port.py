"""What an archive is: bytes put once under a key, and read back as they were.

    ArchiveError
    ├── NotArchived        nothing lies under the key
    └── ArchiveConflict    other bytes lie there already

That an archive is away, full, too slow, or lets nobody in is countersign_core's Unavailable:
whatever was to be kept is not to blame, and waits.
"""

import re
from collections.abc import AsyncIterator
from typing import Protocol

_LONGEST_KEY = 512
# What every store, file system and URL takes as it is. No part begins with a dot: neither
# "..", nor a name that the folder keeps for itself.
_KEY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")


class ArchiveError(Exception):
    """The archive answered, and the answer is no."""

    def __init__(self, key: str, what: str) -> None:
        super().__init__(f"{key}: {what}")
        self.key = key


class NotArchived(ArchiveError):
    """Nothing lies under the key."""

    def __init__(self, key: str) -> None:
        super().__init__(key, "is not in the archive")


class ArchiveConflict(ArchiveError):
    """Other bytes lie under the key already; they were left as they are."""

    def __init__(self, key: str) -> None:
        super().__init__(key, "is in the archive with other bytes")


class Archive(Protocol):
    """Keys are parts joined by `/`, 512 characters at most.

    A part is of letters, digits, `.`, `_` and `-`, and begins with no dot. No key may be the
    first parts of another: a folder could not hold both.

    Every method raises Unavailable when the archive cannot be asked, and ValueError for what
    is no key.
    """

    async def put(self, key: str, data: bytes) -> None:
        """Keep `data` under `key`, durably once this returns; the same bytes again are fine.

        Two who put at the same time cannot both win: whoever comes second is told.

        Raises:
            ArchiveConflict: other bytes lie there.
        """
        ...

    async def get(self, key: str) -> bytes:
        """What lies under `key`.

        Raises:
            NotArchived: nothing does.
        """
        ...

    async def exists(self, key: str) -> bool:
        """Whether something lies under `key`."""
        ...

    def list_keys(self, prefix: str = "") -> AsyncIterator[str]:
        """Every key below `prefix`, which is whole parts of a key, in no order."""
        ...


def checked_key(key: str) -> str:
    """`key` itself.

    Raises:
        ValueError: it is no key.
    """
    if len(key) > _LONGEST_KEY or not _KEY.fullmatch(key):
        raise ValueError(f"not a key of an archive: {key[:_LONGEST_KEY]!r}")
    return key
