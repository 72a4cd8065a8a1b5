"""What the commands ask of the trail; `store.Store` and `memory_trail.MemoryTrail` give it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from countersign_audit.chain import Row
from countersign_audit.event import Event, Head, Link
from countersign_audit.seals import Checkpoint, Seal


@dataclass(frozen=True, slots=True)
class EventFilters:
    """Which events of an org; empty fields do not filter, the others combine with AND."""

    actions: tuple[str, ...] = ()
    draft_order_id: str = ""
    entity_type: str = ""
    entity_id: str = ""
    actor_user_id: str = ""
    request_id: str = ""
    # At or after; before. Aware.
    occurred_from: datetime | None = None
    occurred_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Extent:
    """How far an org's chain goes, read in one snapshot."""

    head: Head
    # Lowest seq on record above the head's; None as it should be.
    first_beyond: int | None


class EventLog(Protocol):
    """Takes events."""

    async def append(self, events: Sequence[Event]) -> Mapping[str, int]:
        """Records what is not on record yet, all or nothing; new events by action.

        Events of one org are chained in the order given.
        """


class EventReader(Protocol):
    """Lists events."""

    async def page(
        self, org_id: UUID, filters: EventFilters, below_seq: int | None, limit: int
    ) -> Sequence[Link]:
        """At most `limit` links with a seq below `below_seq` (None: any), newest first."""

    async def following(
        self, org_id: UUID, filters: EventFilters, after_seq: int, up_to_seq: int, limit: int
    ) -> Sequence[Link]:
        """The first `limit` links above `after_seq`, up to `up_to_seq`, in order of seq.

        More than `limit` only where the last seq is on record twice: both come.
        """


class ChainReader(Protocol):
    """Reads an org's chain in order."""

    async def extent(self, org_id: UUID) -> Extent:
        """Where the chain ends."""

    async def links(self, org_id: UUID, first: int, last: int) -> Sequence[Link]:
        """Every link from seq `first` to `last`, both included, in order of seq."""

    async def rows(self, org_id: UUID, first: int, last: int) -> Sequence[Row]:
        """The same links, as they are read in bulk."""


class TrailReader(EventReader, ChainReader, Protocol):
    """Reads events, and knows where the chain ends."""


class SealReader(Protocol):
    """Reads an org's seals."""

    async def seals(self, org_id: UUID, above_number: int, limit: int) -> Sequence[Seal]:
        """At most `limit` seals with a number above `above_number`, in order."""

    async def seal_head(self, org_id: UUID) -> Head:
        """Number and hash of the last seal, as its head row keeps them; 0 when there is none."""


@dataclass(frozen=True, slots=True)
class SealedSoFar:
    """An org that a checkpoint is due for: its last seal, what it spoke of, and its chain's end."""

    org_id: UUID
    # 0 with NO_SEAL: none yet.
    number: int
    seal_hash: bytes
    # The last link that a seal vouches for; 0 with GENESIS_HASH: none.
    link: Head
    # Events up to here were removed.
    removed_seq: int
    head_seq: int
    # The database's clock.
    now: datetime


class ClaimedOrg(Protocol):
    """Holds an org for itself, in one transaction."""

    so_far: SealedSoFar

    async def rows(self, first: int, last: int) -> Sequence[Row]:
        """As ChainReader.rows."""

    async def record(self, checkpoint: Checkpoint) -> None:
        """Puts a signed checkpoint on record, with the transaction."""


class CheckpointLog(Protocol):
    """Says which orgs need a checkpoint, and takes it."""

    def claim(
        self, events: int, seconds: float, but_not: Sequence[UUID]
    ) -> AbstractAsyncContextManager[ClaimedOrg | None]:
        """An org whose chain grew by `events`, or `seconds` ago; None: nothing is due.

        No other replica has it until the block ends.
        """


class ArchiveQueue(Protocol):
    """Seals that the archive may not have yet."""

    async def unarchived(self, limit: int, but_not: Sequence[UUID]) -> Sequence[Seal]:
        """At most `limit` in order of org and number; none of the orgs `but_not`."""

    async def mark_archived(self, org_id: UUID, number: int) -> None:
        """The archive has the org's seals up to `number`."""

    async def count_unarchived(self) -> int:
        """How many wait."""


class SealArchive(Protocol):
    """Keeps copies of seals where the database cannot reach them."""

    async def put(self, seal: Seal) -> None:
        """Keeps the seal; the same one again changes nothing, and nothing is ever replaced.

        Raises:
            Unavailable: the archive is away.
            ArchiveConflict: something else has the seal's name.
        """

    def names(self, org_id: UUID) -> AsyncIterator[tuple[int, bytes]]:
        """Number and hash of every seal of the org that is kept, in any order.

        Raises:
            Unavailable: the archive is away.
        """
