"""Months that are past their retention, and how they go."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

from asyncpg.pool import PoolConnectionProxy

from countersign_audit.event import Event
from countersign_audit.ports import LockedSeal, MonthStretch
from countersign_audit.seals import Tombstone, seal_hash
from countersign_audit.store.trail import APPEND, columns_of
from countersign_platform.database.pool import Database

# Copying what stays of a month may take long; waiting for the lock of all months must not:
# every append would wait behind it.
_REMOVAL_SETTINGS = """
SET LOCAL statement_timeout = '30min';
SET LOCAL idle_in_transaction_session_timeout = '1min';
SET LOCAL lock_timeout = '2s'
"""
_REMOVAL_SECONDS = 1900.0

_EXPIRED = """
SELECT month FROM (
    SELECT replace(substr(c.relname, length('events_') + 1), '_', '-') AS month
      FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = 'audit.events'::regclass) AS months
 WHERE ((month || '-01')::timestamp + interval '1 month') AT TIME ZONE 'UTC'
       <= now() - make_interval(days => $1)
 ORDER BY month
"""

_BOUNDS = """
recorded_at >= ($1 || '-01')::timestamp AT TIME ZONE 'UTC'
AND recorded_at < (($1 || '-01')::timestamp + interval '1 month') AT TIME ZONE 'UTC'
"""

_STRETCHES = f"""
WITH found AS MATERIALIZED (
    SELECT org_id, min(seq) AS first, max(seq) AS last, count(*) AS count
      FROM audit.events WHERE {_BOUNDS} GROUP BY org_id
)
SELECT f.org_id, f.first, f.last, f.count,
       (SELECT prev_hash FROM audit.events e
         WHERE e.org_id = f.org_id AND e.seq = f.first AND {_BOUNDS} LIMIT 1) AS prev_hash,
       (SELECT hash FROM audit.events e
         WHERE e.org_id = f.org_id AND e.seq = f.last AND {_BOUNDS} LIMIT 1) AS last_hash
  FROM found f LEFT JOIN audit.seal_heads s ON s.org_id = f.org_id
 WHERE f.first = coalesce(s.removed_seq, 0) + 1 AND NOT audit.is_held(f.org_id)
 ORDER BY f.org_id
"""

_IS_EMPTY = f"SELECT NOT EXISTS (SELECT FROM audit.events WHERE {_BOUNDS})"

_LOCK = "SELECT org_id, number, seal_hash, now FROM audit.lock_seal_heads($1)"

_REMOVE = f"SELECT audit.remove_month({', '.join(f'${n}' for n in range(1, 14))})"

_FORGET = "SELECT audit.forget_event_ids($1)"


class MonthStore:
    """A ports.Months in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def expired(self, days: int) -> Sequence[str]:
        """As ports.Months."""
        return [row["month"] for row in await self._database.fetch(_EXPIRED, days)]

    async def stretches(self, month: str) -> Sequence[MonthStretch]:
        """As ports.Months."""
        async with self.removal() as removal:  # for its patience
            rows = await removal.connection.fetch(_STRETCHES, month, timeout=_REMOVAL_SECONDS)
        return [MonthStretch(**dict(row)) for row in rows]

    async def is_empty(self, month: str) -> bool:
        """As ports.Months."""
        return bool(await self._database.fetchval(_IS_EMPTY, month))

    @asynccontextmanager
    async def removal(self) -> AsyncIterator["MonthRemoval"]:
        """As ports.Months."""
        async with self._database.transaction() as connection:
            await connection.execute(_REMOVAL_SETTINGS)
            yield MonthRemoval(connection)

    async def forget_event_ids(self, most: int) -> int:
        """As ports.Months."""
        return int(await self._database.fetchval(_FORGET, most))


class MonthRemoval:
    """A ports.Removal."""

    def __init__(self, connection: PoolConnectionProxy) -> None:
        self.connection = connection

    async def lock(self, orgs: Sequence[UUID]) -> Mapping[UUID, LockedSeal]:
        """As ports.Removal."""
        rows = await self.connection.fetch(_LOCK, list(orgs))
        return {
            row["org_id"]: LockedSeal(row["number"], row["seal_hash"], row["now"]) for row in rows
        }

    async def remove(self, month: str, tombstones: Sequence[Tombstone]) -> int:
        """As ports.Removal."""
        columns = (
            [each.org_id for each in tombstones],
            [each.number for each in tombstones],
            [each.previous for each in tombstones],
            [each.from_seq for each in tombstones],
            [each.to_seq for each in tombstones],
            [each.count for each in tombstones],
            [each.prev_hash for each in tombstones],
            [each.last_hash for each in tombstones],
            [each.removed_at for each in tombstones],
            [each.key_id for each in tombstones],
            [seal_hash(each) for each in tombstones],
            [each.signature for each in tombstones],
        )
        removed = await self.connection.fetchval(_REMOVE, month, *columns, timeout=_REMOVAL_SECONDS)
        return int(removed)

    async def append(self, events: Sequence[Event]) -> None:
        """As ports.Removal."""
        await self.connection.fetch(APPEND, *columns_of(events))
