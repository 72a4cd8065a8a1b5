"""Claims: the statements that hand exports out to workers.

A claim is one UPDATE that takes the lease, counts the attempt and raises the fence, joined
with everything a worker needs, so that a delivery begins with one round trip.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from countersign_core.lifecycle import ExportStatus
from countersign_platform.database.pool import Database
from countersign_push.export_document import CURRENT_BUILDER
from countersign_push.export_record import EXPORT_COLUMNS, ExportRecord
from countersign_push.leftovers import ExportHold
from countersign_push.secret_box import Sealed

_CLAIMABLE = """e.status = 'PENDING' AND e.next_attempt_at <= now()
       AND (e.leased_until IS NULL OR e.leased_until <= now())"""

# The document is built by this version, unless it is staged already.
_LEASE = f"""fence = e.fence + 1, attempt = e.attempt + 1, leased_by = $1,
           leased_until = now() + make_interval(secs => $2),
           document_builder = CASE WHEN e.staged_name IS NULL THEN {CURRENT_BUILDER}
                              ELSE e.document_builder END"""

_EXPORT = ", ".join(f"e.{column}" for column in EXPORT_COLUMNS)

# The content may be missing only if somebody deleted it; then the claim says so.
_ASSIGNED = """
SELECT claimed.*, dc.content, c.connector_type, c.config, c.secrets, c.secrets_key_id,
       c.version AS connection_version, c.concurrency, c.max_attempts
  FROM claimed
  JOIN push.erp_connections c ON c.org_id = claimed.org_id AND c.id = claimed.connection_id
  LEFT JOIN approval.draft_contents dc
         ON dc.org_id = claimed.org_id AND dc.draft_id = claimed.draft_id
        AND dc.content_version = claimed.content_version
"""

CLAIM_EXPORT = f"""
WITH claimed AS (
    UPDATE push.exports e SET {_LEASE}
     WHERE e.org_id = $3 AND e.id = $4 AND {_CLAIMABLE}
       AND NOT EXISTS (SELECT FROM push.erp_connections c
                        WHERE c.org_id = e.org_id AND c.id = e.connection_id
                          AND c.status = 'PAUSED')
    RETURNING {_EXPORT}
) {_ASSIGNED}
"""

# `ring` walks the connections that have anything pending, one index probe each, from the one
# after ($3, $4) round to that one itself; it is read only as far as $5 connections with due work
# that the worker has room for. Each of these gives its oldest exports, at most its even share of
# $5 and the worker's room, so a long queue takes nobody's turn and a paused one costs one probe.
CLAIM_NEXT = f"""
WITH RECURSIVE ring (org_id, connection_id, wrapped, turn) AS (
    SELECT $3::uuid, $4::uuid, false, 0
    UNION ALL
    SELECT next.org_id, next.connection_id, next.wrapped, ring.turn + 1
      FROM ring
     CROSS JOIN LATERAL (
           (SELECT e.org_id, e.connection_id, ring.wrapped
              FROM push.exports e
             WHERE e.status = 'PENDING'
               AND (e.org_id, e.connection_id) > (ring.org_id, ring.connection_id)
               AND (NOT ring.wrapped OR (e.org_id, e.connection_id) <= ($3, $4))
             ORDER BY e.org_id, e.connection_id LIMIT 1)
           UNION ALL
           (SELECT e.org_id, e.connection_id, true
              FROM push.exports e
             WHERE e.status = 'PENDING' AND NOT ring.wrapped
               AND (e.org_id, e.connection_id) <= ($3, $4)
             ORDER BY e.org_id, e.connection_id LIMIT 1)
           LIMIT 1) next
), due AS MATERIALIZED (
    SELECT ring.org_id, ring.connection_id, ring.turn, room.room
      FROM ring
     CROSS JOIN LATERAL (
           SELECT coalesce(($7::int[])[array_position($6::uuid[], ring.connection_id)], $8::int)
               AS room) room
     CROSS JOIN LATERAL (
           SELECT FROM push.erp_connections c
            WHERE c.org_id = ring.org_id AND c.id = ring.connection_id
              AND c.status <> 'PAUSED' LIMIT 1) open
     CROSS JOIN LATERAL (
           SELECT FROM push.exports e
            WHERE e.org_id = ring.org_id AND e.connection_id = ring.connection_id
              AND {_CLAIMABLE}
            ORDER BY e.next_attempt_at LIMIT 1) claimable
     WHERE ring.turn > 0 AND room.room > 0
     LIMIT $5
), picked AS MATERIALIZED (
    SELECT due.turn, export.org_id, export.id
      FROM due
     CROSS JOIN LATERAL (
           SELECT e.org_id, e.id
             FROM push.exports e
            WHERE e.org_id = due.org_id AND e.connection_id = due.connection_id
              AND {_CLAIMABLE}
            ORDER BY e.next_attempt_at
            LIMIT least(due.room, (SELECT ceil($5::bigint / count(*)::numeric) FROM due))
              FOR NO KEY UPDATE SKIP LOCKED) export
     LIMIT $5
), claimed AS (
    UPDATE push.exports e SET {_LEASE}
      FROM picked
     WHERE e.org_id = picked.org_id AND e.id = picked.id
    RETURNING picked.turn, {_EXPORT}
) {_ASSIGNED}
 ORDER BY claimed.turn, claimed.created_at
"""

# Connection by connection, each no further than $1, so that neither a long queue nor a paused
# one is read through.
COUNT_DUE = f"""
SELECT count(*) FROM (
    SELECT FROM push.erp_connections c
     CROSS JOIN LATERAL (
           SELECT FROM push.exports e
            WHERE e.org_id = c.org_id AND e.connection_id = c.id AND {_CLAIMABLE}
            ORDER BY e.next_attempt_at LIMIT $1) due
     WHERE c.status <> 'PAUSED' LIMIT $1) due
"""

READ_EXPORT = f"""
SELECT {_EXPORT} FROM push.exports e WHERE e.org_id = $1 AND e.id = $2
"""

READ_HOLDS = """
SELECT e.id, e.status, e.fence, e.leased_until IS NOT NULL AS leased, e.staged_name, e.staged_fence
  FROM push.exports e
 WHERE e.org_id = $1 AND e.id = ANY ($2::uuid[])
"""


class Position(NamedTuple):
    """A place in the ring of connections."""

    org_id: UUID
    connection_id: UUID


@dataclass(frozen=True, slots=True)
class Room:
    """How many exports of one connection a worker takes; `of_others` 0: as many as it asks for."""

    by_connection: Mapping[UUID, int] = field(default_factory=dict)
    of_others: int = 0


@dataclass(frozen=True, slots=True)
class ConnectionRow:
    """A connection as a worker needs it, secrets still sealed."""

    org_id: UUID
    id: UUID
    connector_type: str
    config: Mapping[str, Any]
    secrets: Sealed | None
    version: int
    concurrency: int | None = None
    max_attempts: int | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """An export that was just leased. `content` is canonical JSON; None if it is gone."""

    export: ExportRecord
    content: str | None
    connection: ConnectionRow


class WorkStore:
    """Hands exports out, and says what they hold on to."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim_export(
        self, org_id: UUID, export_id: UUID, worker_id: str, lease_seconds: float
    ) -> Claimed | None:
        """Lease one export; None when it is finished, not due, or leased to another."""
        row = await self._database.fetchrow(
            CLAIM_EXPORT, worker_id, lease_seconds, org_id, export_id
        )
        return None if row is None else _claimed(row)

    async def claim_next(
        self, worker_id: str, lease_seconds: float, after: Position, limit: int, room: Room
    ) -> list[Claimed]:
        """Lease up to `limit` due exports, connection by connection, beginning behind `after`."""
        rows = await self._database.fetch(
            CLAIM_NEXT,
            worker_id,
            lease_seconds,
            *after,
            limit,
            list(room.by_connection),
            list(room.by_connection.values()),
            room.of_others or limit,
        )
        return [_claimed(row) for row in rows]

    async def count_due(self, limit: int) -> int:
        """How many exports could be claimed now, counted no further than `limit`."""
        count: int = await self._database.fetchval(COUNT_DUE, limit)
        return count

    async def read(self, org_id: UUID, export_id: UUID) -> ExportRecord | None:
        """One export as it stands."""
        row = await self._database.fetchrow(READ_EXPORT, org_id, export_id)
        return None if row is None else ExportRecord.from_row(row)

    async def holds(self, org_id: UUID, export_ids: list[UUID]) -> dict[UUID, ExportHold]:
        """What those of the exports that exist in the org hold on to."""
        rows = await self._database.fetch(READ_HOLDS, org_id, export_ids)
        return {
            row["id"]: ExportHold(
                status=ExportStatus(row["status"]),
                fence=row["fence"],
                leased=row["leased"],
                staged_name=row["staged_name"],
                staged_fence=row["staged_fence"],
            )
            for row in rows
        }


def _claimed(row: Mapping[str, Any]) -> Claimed:
    export = ExportRecord.from_row(row)
    return Claimed(export, row["content"], connection_row(row, export.org_id))


def connection_row(row: Mapping[str, Any], org_id: UUID) -> ConnectionRow:
    """The connection in a row that was joined with it."""
    return ConnectionRow(
        org_id=org_id,
        id=row["connection_id"],
        connector_type=row["connector_type"],
        config=row["config"],
        secrets=sealed(row),
        version=row["connection_version"],
        concurrency=row["concurrency"],
        max_attempts=row["max_attempts"],
    )


def sealed(row: Mapping[str, Any]) -> Sealed | None:
    """The sealed secrets of a row that has `secrets` and `secrets_key_id`."""
    if row["secrets"] is None:
        return None
    return Sealed(row["secrets_key_id"], row["secrets"])
