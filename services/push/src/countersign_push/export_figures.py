"""Sums over exports: what the overview shows."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Stretch:
    """Exports pushed from `start` (included) to `end` (not); `time_zone` says whose days."""

    start: datetime
    end: datetime
    time_zone: str


@dataclass(frozen=True, slots=True)
class ExportFigures:
    """Sums of one day and connection; None stands for all of them together.

    `median` and `p95` are the times from push to publish; None when nothing was published.
    """

    day: date | None
    connection_id: UUID | None
    pushed: int
    delivered: int
    acked: int
    failed: int
    waiting: int
    median: timedelta | None
    p95: timedelta | None


@dataclass(frozen=True, slots=True)
class WaitingFigures:
    """What waits on one connection now, whenever it was pushed."""

    connection_id: UUID
    waiting: int
    retrying: int
    held: int
    oldest_since: datetime | None
    ack_overdue: int
