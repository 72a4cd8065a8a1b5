"""Claims: the statements that hand exports out to workers.

A claim is one UPDATE that takes the lease, counts the attempt and raises the fence, joined
with everything a worker needs, so that a delivery begins with one round trip.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from countersign_core.lifecycle import ExportStatus
from countersign_platform.database.pool import Database
from countersign_push.export_record import EXPORT_COLUMNS, ExportRecord
from countersign_push.leftovers import ExportHold
from countersign_push.secret_box import Sealed

_CLAIMABLE = """e.status = 'PENDING' AND e.next_attempt_at <= now()
       AND (e.leased_until IS NULL OR e.leased_until <= now())"""

_LEASE = """fence = e.fence + 1, attempt = e.attempt + 1, leased_by = $1,
           leased_until = now() + make_interval(secs => $2)"""

_EXPORT = ", ".join(f"e.{column}" for column in EXPORT_COLUMNS)

# The content may be missing only if somebody deleted it; then the claim says so.
_ASSIGNED = """
SELECT claimed.*, dc.content, c.connector_type, c.config, c.secrets, c.secrets_key_id,
       c.version AS connection_version
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
    RETURNING {_EXPORT}
) {_ASSIGNED}
"""

# `ring` walks the orgs that have anything pending, one index probe each, from the one after
# $3 round to $3 itself; it is read only as far as $4 orgs with due work. Each of these gives
# its oldest exports, at most its even share of $4, so a long queue takes nobody's turn.
CLAIM_NEXT = f"""
WITH RECURSIVE ring (org_id, wrapped, turn) AS (
    SELECT $3::uuid, false, 0
    UNION ALL
    SELECT next.org_id, next.wrapped, ring.turn + 1
      FROM ring
     CROSS JOIN LATERAL (
           (SELECT e.org_id, ring.wrapped
              FROM push.exports e
             WHERE e.status = 'PENDING' AND e.org_id > ring.org_id
               AND (NOT ring.wrapped OR e.org_id <= $3)
             ORDER BY e.org_id LIMIT 1)
           UNION ALL
           (SELECT e.org_id, true
              FROM push.exports e
             WHERE e.status = 'PENDING' AND NOT ring.wrapped AND e.org_id <= $3
             ORDER BY e.org_id LIMIT 1)
           LIMIT 1) next
), due AS MATERIALIZED (
    SELECT ring.org_id, ring.turn
      FROM ring
     CROSS JOIN LATERAL (
           SELECT FROM push.exports e
            WHERE e.org_id = ring.org_id AND {_CLAIMABLE}
            ORDER BY e.next_attempt_at LIMIT 1) claimable
     WHERE ring.turn > 0
     LIMIT $4
), picked AS MATERIALIZED (
    SELECT due.turn, export.org_id, export.id
      FROM due
     CROSS JOIN LATERAL (
           SELECT e.org_id, e.id
             FROM push.exports e
            WHERE e.org_id = due.org_id AND {_CLAIMABLE}
            ORDER BY e.next_attempt_at
            LIMIT (SELECT ceil($4::bigint / count(*)::numeric) FROM due)
              FOR NO KEY UPDATE SKIP LOCKED) export
     LIMIT $4
), claimed AS (
    UPDATE push.exports e SET {_LEASE}
      FROM picked
     WHERE e.org_id = picked.org_id AND e.id = picked.id
    RETURNING picked.turn, {_EXPORT}
) {_ASSIGNED}
 ORDER BY claimed.turn, claimed.created_at
"""

# The order is that of the index exports_due. Without it, figures from a busy hour could lead the
# planner to read the whole table in the hope of soon meeting $1 rows that are due.
COUNT_DUE = f"""
SELECT count(*) FROM (
    SELECT FROM push.exports e WHERE {_CLAIMABLE}
     ORDER BY e.org_id, e.next_attempt_at LIMIT $1) due
"""

READ_EXPORT = f"""
SELECT {_EXPORT} FROM push.exports e WHERE e.org_id = $1 AND e.id = $2
"""

READ_HOLDS = """
SELECT e.id, e.status, e.fence, e.leased_until IS NOT NULL AS leased, e.staged_name, e.staged_fence
  FROM push.exports e
 WHERE e.org_id = $1 AND e.id = ANY ($2::uuid[])
"""


@dataclass(frozen=True, slots=True)
class ConnectionRow:
    """A connection as a worker needs it, secrets still sealed."""

    org_id: UUID
    id: UUID
    connector_type: str
    config: Mapping[str, Any]
    secrets: Sealed | None
    version: int


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
        self, worker_id: str, lease_seconds: float, after_org: UUID, limit: int
    ) -> list[Claimed]:
        """Lease up to `limit` due exports, org by org, beginning behind `after_org`."""
        rows = await self._database.fetch(CLAIM_NEXT, worker_id, lease_seconds, after_org, limit)
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
    connection = ConnectionRow(
        org_id=export.org_id,
        id=export.connection_id,
        connector_type=row["connector_type"],
        config=row["config"],
        secrets=sealed(row),
        version=row["connection_version"],
    )
    return Claimed(export, row["content"], connection)


def sealed(row: Mapping[str, Any]) -> Sealed | None:
    """The sealed secrets of a row that has `secrets` and `secrets_key_id`."""
    if row["secrets"] is None:
        return None
    return Sealed(row["secrets_key_id"], row["secrets"])
