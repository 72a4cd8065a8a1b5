"""An administrator's word on a held export: one statement with the draft's move and the act."""

from uuid import UUID

from countersign_platform.database.pool import Database
from countersign_push.act import Act
from countersign_push.export_record import EXPORT_COLUMNS, ExportRecord
from countersign_push.store.to_archive import archive_row, insert_to_archive

_COLUMNS = ", ".join(f"settled.{name}" for name in EXPORT_COLUMNS)

# The fence grows, so that a worker that is at the export finds its lease lost. The act's
# payload is NULL, and the statement refused, should the draft not be PUSHING.
RESOLVE = f"""
WITH settled AS (
    UPDATE push.exports e
       SET status = CASE WHEN $3 THEN 'SENT' ELSE 'FAILED' END,
           sent_at = CASE WHEN $3 THEN now() END,
           evidence = CASE WHEN $3 THEN 'RESOLVED' END,
           error_json = CASE WHEN NOT $3 THEN jsonb_build_object(
               'code', 'RESOLVED_NOT_DELIVERED', 'message', $4::text, 'attempt', e.attempt,
               'at', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
               ELSE e.error_json END,
           fence = e.fence + 1, leased_by = NULL, leased_until = NULL, next_attempt_at = NULL,
           outcome_unknown_since = NULL, finished_at = now()
     WHERE e.org_id = $1 AND e.id = $2 AND e.status = 'PENDING'
       AND e.outcome_unknown_since IS NOT NULL
       -- A worker that holds the lease may be renaming the file at this moment.
       AND ($3 OR e.leased_until IS NULL OR e.leased_until < now())
    RETURNING e.*
), recorded AS (
    INSERT INTO push.outbox (org_id, id, lane, payload, headers)
    SELECT settled.org_id, $5, 'audit', CASE WHEN draft.version IS NOT NULL THEN $6::bytea END, $7
      FROM settled
      LEFT JOIN LATERAL approval.move_draft(
           settled.org_id, settled.draft_id, '{{PUSHING}}',
           CASE WHEN $3 THEN 'PUSHED' ELSE 'ERROR' END) draft ON true
), kept AS ({insert_to_archive("settled", "$8")}
)
SELECT {_COLUMNS} FROM settled
"""


class ResolutionStore:
    """Settles held exports."""

    def __init__(self, database: Database, *, archived: bool = False) -> None:
        """`archived`: what was delivered is to be put into the archive."""
        self._database = database
        self._archived = archived

    async def resolve(
        self, org_id: UUID, export_id: UUID, *, delivered: bool, reason: str, act: Act
    ) -> ExportRecord | None:
        """The export after it; None when it is not held (any more), or a worker is at it."""
        to_archive = archive_row(org_id, export_id) if self._archived else None
        row = await self._database.fetchrow(
            RESOLVE, org_id, export_id, delivered, reason, *act.columns(), to_archive
        )
        return None if row is None else ExportRecord.from_row(row)
