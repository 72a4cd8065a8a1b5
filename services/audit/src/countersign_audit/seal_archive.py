"""Seals in the archive: one object each, named so that a listing tells number and hash."""

import re
from collections.abc import AsyncIterator
from uuid import UUID

from countersign_audit.seals import Seal, seal_hash, to_line
from countersign_core.errors import Unavailable
from countersign_platform.archive.port import Archive

_NAME = re.compile(r"(\d{12,})-([0-9a-f]{64})\.json")


class ArchivedCopies:
    """A ports.SealArchive over any archive.

    `audit/seals/<org_id>/<number>-<seal hash>.json` holds the seal's line. Two seals of one
    number have two names, so neither can take the place of the other.
    """

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    async def put(self, seal: Seal) -> None:
        """As ports.SealArchive."""
        name = f"{seal.number:012d}-{seal_hash(seal).hex()}.json"
        await self._archive.put(f"{_folder(seal.org_id)}/{name}", f"{to_line(seal)}\n".encode())

    async def names(self, org_id: UUID) -> AsyncIterator[tuple[int, bytes]]:
        """As ports.SealArchive; what has another name is no seal."""
        async for key in self._archive.list_keys(_folder(org_id)):
            if found := _NAME.fullmatch(key.rpartition("/")[2]):
                yield int(found[1]), bytes.fromhex(found[2])


class NoArchive:
    """Where none is configured: nothing is kept, and nothing can be compared."""

    async def put(self, seal: Seal) -> None:  # noqa: ARG002 — the port's
        """As ports.SealArchive."""
        raise Unavailable("There is no archive")

    async def names(
        self,
        org_id: UUID,  # noqa: ARG002 — the port's
    ) -> AsyncIterator[tuple[int, bytes]]:
        """As ports.SealArchive."""
        raise Unavailable("There is no archive")
        yield


def _folder(org_id: UUID) -> str:
    return f"audit/seals/{org_id}"
