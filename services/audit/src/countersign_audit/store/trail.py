"""The trail: events, their chain, the months that they stand in."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import Any, cast
from uuid import UUID

import asyncpg
import sqlalchemy as sa

from countersign_audit.chain import GENESIS_HASH, Row
from countersign_audit.event import Event, Head, Link
from countersign_audit.ports import EventFilters, Extent
from countersign_core.errors import FieldError, InvalidRequest
from countersign_platform.database.composed import at_most, composed
from countersign_platform.database.pool import Database

# The parameters of audit.append_events are the fields of Event, in the same order.
_APPENDED = tuple(field.name for field in fields(Event))
_EVENT_COLUMNS = ", ".join(_APPENDED)

APPEND = f"""
SELECT action, appended
  FROM audit.append_events({", ".join(f"${n}" for n in range(1, len(_APPENDED) + 1))})
"""

# What audit.append_events raises; its detail lists the places of the events in the batch.
_TOO_OLD = "CSA01"

# One statement, one snapshot: an append that commits meanwhile moves both or neither.
_EXTENT = """
SELECT h.seq, h.hash,
       (SELECT min(e.seq) FROM audit.events e
         WHERE e.org_id = $1 AND e.seq > coalesce(h.seq, 0)) AS first_beyond
  FROM (VALUES ($1::uuid)) AS asked (org_id)
  LEFT JOIN audit.chain_heads h ON h.org_id = asked.org_id
"""

_LINKS = f"""
SELECT {_EVENT_COLUMNS}, seq, prev_hash, hash
  FROM audit.events
 WHERE org_id = $1 AND seq BETWEEN $2 AND $3
 ORDER BY seq, recorded_at
"""

# What countersign_audit.chain.Row holds, in that order.
ROWS = f"""
SELECT event_id::text, {", ".join(_APPENDED[2:])}, seq, prev_hash, hash
  FROM audit.events
 WHERE org_id = $1 AND seq BETWEEN $2 AND $3
 ORDER BY seq, recorded_at
"""

_ENSURE_PARTITIONS = """
SELECT count(*) FILTER (WHERE made)
  FROM generate_series(0, $1::integer) AS ahead,
       LATERAL audit.ensure_partition(now() + make_interval(months => ahead)) AS made
"""

_TYPES: Mapping[str, sa.types.TypeEngine[Any]] = {
    "org_id": sa.Uuid(),
    "event_id": sa.Uuid(),
    "occurred_at": sa.DateTime(timezone=True),
}
_EVENTS = sa.table(
    "events",
    *(sa.column(name, _TYPES.get(name, sa.Text())) for name in _APPENDED),
    sa.column("seq", sa.BigInteger()),
    sa.column("prev_hash", sa.LargeBinary()),
    sa.column("hash", sa.LargeBinary()),
    schema="audit",
)
_EXACT_FILTERS = ("draft_order_id", "entity_type", "entity_id", "actor_user_id", "request_id")


class Store:
    """The trail in PostgreSQL; gives ports.EventLog, ports.EventReader and ports.ChainReader."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, events: Sequence[Event]) -> Mapping[str, int]:
        """As ports.EventLog: one call of the database's own append, one round trip."""
        with _too_old_mapped():
            rows = await self._database.fetch(APPEND, *columns_of(events))
        return {row["action"]: row["appended"] for row in rows}

    async def page(
        self, org_id: UUID, filters: EventFilters, below_seq: int | None, limit: int
    ) -> Sequence[Link]:
        """As ports.EventReader."""
        sql, arguments = _page_statement(org_id, filters, below_seq, limit)
        return list(map(_link, await self._database.fetch(sql, *arguments)))

    async def following(
        self, org_id: UUID, filters: EventFilters, after_seq: int, up_to_seq: int, limit: int
    ) -> Sequence[Link]:
        """As ports.EventReader."""
        sql, arguments = _following_statement(org_id, filters, after_seq, up_to_seq, limit)
        return list(map(_link, await self._database.fetch(sql, *arguments)))

    async def extent(self, org_id: UUID) -> Extent:
        """As ports.ChainReader."""
        row = await self._database.fetchrow(_EXTENT, org_id)
        if row is None or row["seq"] is None:
            return Extent(Head(0, GENESIS_HASH), row and row["first_beyond"])
        return Extent(Head(row["seq"], row["hash"]), row["first_beyond"])

    async def links(self, org_id: UUID, first: int, last: int) -> Sequence[Link]:
        """As ports.ChainReader; a seq that is on record twice comes twice."""
        return list(map(_link, await self._database.fetch(_LINKS, org_id, first, last)))

    async def rows(self, org_id: UUID, first: int, last: int) -> Sequence[Row]:
        """As ports.ChainReader."""
        return cast("Sequence[Row]", await self._database.fetch(ROWS, org_id, first, last))

    async def ensure_partitions(self, months_ahead: int) -> int:
        """Makes what is missing from this month on; how many partitions were made."""
        made = await self._database.fetchval(_ENSURE_PARTITIONS, months_ahead)
        return int(made)

    async def now(self) -> datetime:
        """The database's clock."""
        return cast("datetime", await self._database.fetchval("SELECT clock_timestamp()"))


def columns_of(events: Sequence[Event]) -> list[list[Any]]:
    """The arguments of APPEND."""
    return [list(map(attrgetter(name), events)) for name in _APPENDED]


@contextmanager
def _too_old_mapped() -> Iterator[None]:
    """What nobody can tell any more whether it is on record is the sender's to set aside."""
    try:
        yield
    except asyncpg.PostgresError as error:
        if error.sqlstate != _TOO_OLD:
            raise
        problem = "is older than what was removed: whether it is on record cannot be told"
        named = [f"events[{index}].occurred_at" for index in str(error.detail).split(",")]
        raise InvalidRequest([FieldError(field, problem) for field in named]) from error


def _link(row: Any) -> Link:
    *of_event, seq, prev_hash, link_hash = row
    return Link(Event(*of_event), seq, prev_hash, link_hash)


def _page_statement(
    org_id: UUID, filters: EventFilters, below_seq: int | None, limit: int
) -> tuple[str, list[Any]]:
    """The statement for a page and its arguments, in the order of its parameters."""
    conditions = [_EVENTS.c.org_id == org_id, *_conditions(filters)]
    if below_seq is not None:
        conditions.append(_EVENTS.c.seq < below_seq)
    statement = (
        sa.select(_EVENTS).where(*conditions).order_by(_EVENTS.c.seq.desc()).limit(at_most(limit))
    )
    return composed(statement)


def _following_statement(
    org_id: UUID, filters: EventFilters, after_seq: int, up_to_seq: int, limit: int
) -> tuple[str, list[Any]]:
    conditions = [
        _EVENTS.c.org_id == org_id,
        _EVENTS.c.seq > after_seq,
        _EVENTS.c.seq <= up_to_seq,
        *_conditions(filters),
    ]
    ordered = sa.select(_EVENTS).where(*conditions).order_by(_EVENTS.c.seq)
    # With ties: a seq that was put on record twice must not hide behind the limit.
    return composed(ordered.fetch(at_most(limit), with_ties=True))


def _conditions(filters: EventFilters) -> Iterator[sa.ColumnElement[bool]]:
    if filters.actions:
        wanted = sa.literal(list(filters.actions), sa.ARRAY(sa.Text()))
        yield _EVENTS.c.action == sa.any_(wanted)
    for name in _EXACT_FILTERS:
        if value := getattr(filters, name):
            # The indexes leave '' out; a plan that serves every value needs to read it here.
            yield from (_EVENTS.c[name] == value, _EVENTS.c[name] != sa.literal_column("''"))
    yield from _within(filters.occurred_from, filters.occurred_to)


def _within(start: datetime | None, end: datetime | None) -> Iterator[sa.ColumnElement[bool]]:
    if start is not None:
        yield _EVENTS.c.occurred_at >= start
    if end is not None:
        yield _EVENTS.c.occurred_at < end
