"""The feed of status changes that the trigger writes."""

from datetime import timedelta
from uuid import UUID

import asyncpg

from countersign_approval.status_change import StatusChange
from countersign_core.lifecycle import DraftStatus
from countersign_platform.database.pool import Database

# Where to read from so that nothing behind the cursor $2 is missed: rows get their ids before
# they can be seen, so what is younger than the overlap $3 may still be joined by smaller ids.
# A cursor whose row was swept is older than any overlap.
SAFE_START = """
SELECT coalesce((
       SELECT earlier.id
         FROM approval.draft_status_changes earlier
        WHERE earlier.org_id = $1 AND earlier.id <= $2
          AND earlier.changed_at < coalesce(
              (SELECT seen.changed_at FROM approval.draft_status_changes seen
                WHERE seen.org_id = $1 AND seen.id = $2), 'infinity') - $3::interval
        ORDER BY earlier.id DESC LIMIT 1), 0)
"""

SAFE_START_NOW = """
SELECT coalesce((
       SELECT id FROM approval.draft_status_changes
        WHERE org_id = $1 AND changed_at < clock_timestamp() - $2::interval
        ORDER BY id DESC LIMIT 1), 0)
"""

BEHIND = """
SELECT id, draft_id, from_status, to_status, version, changed_at,
       changed_at < clock_timestamp() - $3::interval AS settled
  FROM approval.draft_status_changes
 WHERE org_id = $1 AND id > $2
 ORDER BY id
 LIMIT $4
"""

SWEEP = """
WITH old AS (
    SELECT org_id, id FROM approval.draft_status_changes
     WHERE changed_at < now() - $1::interval LIMIT $2
), gone AS (
    DELETE FROM approval.draft_status_changes c USING old
     WHERE c.org_id = old.org_id AND c.id = old.id
    RETURNING true
)
SELECT count(*) FROM gone
"""


class StatusChangeStore:
    """Reads and sweeps the feed.

    `overlap` must be longer than any transaction that moves a draft.
    """

    def __init__(self, database: Database, overlap: timedelta) -> None:
        self._database = database
        self._overlap = overlap

    async def safe_start(self, org_id: UUID, cursor: int | None) -> int:
        """The id to read behind so as to miss nothing after `cursor`, or after now (None)."""
        if cursor is None:
            start: int = await self._database.fetchval(SAFE_START_NOW, org_id, self._overlap)
        else:
            start = await self._database.fetchval(SAFE_START, org_id, cursor, self._overlap)
        return start

    async def behind(self, org_id: UUID, start: int, limit: int) -> list[StatusChange]:
        """At most `limit` changes with ids above `start`, by id."""
        rows = await self._database.fetch(BEHIND, org_id, start, self._overlap, limit)
        return [_change_of(row) for row in rows]

    async def sweep(self, age: timedelta, limit: int) -> int:
        """Deletes at most `limit` changes older than `age`, of any org; how many."""
        swept: int = await self._database.fetchval(SWEEP, age, limit)
        return swept


def _change_of(row: asyncpg.Record) -> StatusChange:
    values = dict(row)
    source = values["from_status"]
    values["from_status"] = None if source is None else DraftStatus(source)
    values["to_status"] = DraftStatus(values["to_status"])
    return StatusChange(**values)
