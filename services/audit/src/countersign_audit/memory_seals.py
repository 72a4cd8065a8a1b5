"""Seals in memory: the same promises as the store and the archive, for tests of the commands."""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from countersign_audit.event import Head
from countersign_audit.seals import NO_SEAL, Seal, Tombstone, seal_hash


class MemorySeals:
    """A ports.SealReader. `by_org` and `heads` are open, so that a test can tamper."""

    def __init__(self) -> None:
        self.by_org: defaultdict[UUID, list[Seal]] = defaultdict(list)
        self.heads: dict[UUID, Head] = {}

    def add(self, seal: Seal) -> None:
        """Puts a signed seal on record."""
        self.by_org[seal.org_id].append(seal)
        self.heads[seal.org_id] = Head(seal.number, seal_hash(seal))

    async def seals(self, org_id: UUID, above_number: int, limit: int) -> Sequence[Seal]:
        """As ports.SealReader."""
        in_order = sorted(self.by_org[org_id], key=lambda seal: seal.number)
        return [seal for seal in in_order if seal.number > above_number][:limit]

    async def seal_head(self, org_id: UUID) -> Head:
        """As ports.SealReader."""
        return self.heads.get(org_id, Head(0, NO_SEAL))

    async def removed_seq(self, org_id: UUID) -> int:
        """As ports.SealReader."""
        found = (seal.to_seq for seal in self.by_org[org_id] if isinstance(seal, Tombstone))
        return max(found, default=0)


class MemorySealArchive:
    """A ports.SealArchive."""

    def __init__(self) -> None:
        self.kept: dict[tuple[UUID, int, bytes], Seal] = {}

    async def put(self, seal: Seal) -> None:
        """As ports.SealArchive."""
        self.kept[seal.org_id, seal.number, seal_hash(seal)] = seal

    async def names(self, org_id: UUID) -> AsyncIterator[tuple[int, bytes]]:
        """As ports.SealArchive."""
        for kept_for, number, digest in list(self.kept):
            if kept_for == org_id:
                yield number, digest
