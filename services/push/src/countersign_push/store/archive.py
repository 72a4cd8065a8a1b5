"""What is to be archived, and that it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from countersign_platform.database.pool import Database
from countersign_push.store.to_archive import archive_row

MARK = """
UPDATE push.exports e SET archived_at = now()
  FROM unnest($1::uuid[], $2::uuid[]) AS kept (org_id, id)
 WHERE e.org_id = kept.org_id AND e.id = kept.id AND e.archived_at IS NULL
"""

# Delivered by a version or an installation without an archive. What was delivered just now has
# its row already.
MISSED = """
SELECT e.org_id, e.id, e.sent_at
  FROM push.exports e
 WHERE e.sent_at IS NOT NULL AND e.archived_at IS NULL AND e.document_sha256 IS NOT NULL
   AND (e.sent_at, e.id) > ($1, $2) AND e.sent_at < now() - interval '1 minute'
 ORDER BY e.sent_at, e.id LIMIT $3
"""

ASK = """
INSERT INTO push.outbox (org_id, id, lane, payload)
SELECT m.org_id, m.row_id, 'archive', convert_to(m.id::text, 'UTF8')
  FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS m (org_id, id, row_id)
    ON CONFLICT (org_id, id) DO NOTHING
RETURNING true
"""

WAITING = """
SELECT count(*) FROM (SELECT FROM push.outbox WHERE lane = 'archive'
                         AND quarantined_at IS NULL LIMIT $1) waiting
"""


@dataclass(frozen=True, slots=True)
class Missed:
    """A delivered export that is not archived."""

    org_id: UUID
    id: UUID
    sent_at: datetime


class ArchiveStore:
    """Exports of every org."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def mark(self, exports: Sequence[tuple[UUID, UUID]]) -> None:
        """Put on record that the bytes of (org, export) are kept."""
        await self._database.execute(
            MARK, [org_id for org_id, _ in exports], [each for _, each in exports]
        )

    async def missed(self, after: tuple[datetime, UUID], limit: int) -> list[Missed]:
        """Delivered and not archived, those behind `after` (sent_at, id), oldest first."""
        return [Missed(**dict(row)) for row in await self._database.fetch(MISSED, *after, limit)]

    async def ask(self, missed: Sequence[Missed]) -> int:
        """Have them archived; how many were not waiting for it anyway."""
        keys = [each.org_id for each in missed], [each.id for each in missed]
        rows = [archive_row(each.org_id, each.id) for each in missed]
        return len(await self._database.fetch(ASK, *keys, rows))

    async def waiting(self, limit: int) -> int:
        """How many rows wait in the lane, counted no further than `limit`."""
        count: int = await self._database.fetchval(WAITING, limit)
        return count
