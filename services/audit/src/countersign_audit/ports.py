"""What the commands ask of the trail; `store.Store` and `memory_trail.MemoryTrail` give it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from countersign_audit.event import Event, Head, Link


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


class TrailReader(EventReader, ChainReader, Protocol):
    """Reads events, and knows where the chain ends."""
