"""What the commands ask of the trail; `store.Store` and `memory_trail.MemoryTrail` give it."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from countersign_audit.chain import Row
from countersign_audit.event import Event, Head, Link
from countersign_audit.seals import Checkpoint, Seal, Tombstone


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

        Raises:
            InvalidRequest: events from before what was removed; who knows whether they are on
                record?
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

    async def removed_seq(self, org_id: UUID) -> int:
        """Events up to here were removed, as the head row of the seals keeps it."""


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


@dataclass(frozen=True, slots=True)
class MonthStretch:
    """What an org has in a month: events `first` to `last`, without a gap before them."""

    org_id: UUID
    first: int
    last: int
    count: int
    # Of the link before the first, and of the last.
    prev_hash: bytes
    last_hash: bytes


@dataclass(frozen=True, slots=True)
class LockedSeal:
    """The last seal of an org, which nobody else follows up now; `now` is the database's clock."""

    number: int
    seal_hash: bytes
    now: datetime


class Removal(Protocol):
    """The removal of one month, in one transaction."""

    async def lock(self, orgs: Sequence[UUID]) -> Mapping[UUID, LockedSeal]:
        """The orgs' last seals."""

    async def remove(self, month: str, tombstones: Sequence[Tombstone]) -> int:
        """Removes what the tombstones speak of, and nothing else; how many events it was."""

    async def append(self, events: Sequence[Event]) -> None:
        """Records events, with the transaction."""


class Months(Protocol):
    """Months that are past their retention."""

    async def expired(self, days: int) -> Sequence[str]:
        """Months (like 2025-03) that ended `days` ago or earlier, oldest first."""

    async def stretches(self, month: str) -> Sequence[MonthStretch]:
        """What may be removed: of orgs that are not held, and of which nothing older is left."""

    async def is_empty(self, month: str) -> bool:
        """Whether nothing at all is on record there."""

    def removal(self) -> AbstractAsyncContextManager[Removal]:
        """A transaction."""

    async def forget_event_ids(self, most: int) -> int:
        """Removes ids of removed events, at most `most`; 0: none is left."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Whether an org's trail is held, since when, by whom and why; empty: it never was."""

    held: bool = False
    reason: str = ""
    changed_by: str = ""
    changed_at: datetime | None = None


class Holds(Protocol):
    """Keeps legal holds."""

    async def hold(self, org_id: UUID) -> Hold:
        """As it is now."""

    async def change(self, org_id: UUID, hold: Hold, act: Callable[[int, datetime], Event]) -> Hold:
        """Changes it and records `act(number of the change, now)`, both or neither.

        Nothing is done when it is so already: held for that reason, or not held.
        """
