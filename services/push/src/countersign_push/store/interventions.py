"""An operator's hand on a waiting export: tried at once, or taken back.

Each is one statement that looks at the row as it is. A cancel that meets a file that is not on
record yet ends the export there and then, and raises the fence: the worker that is at it finds
its lease lost before it may publish. A staged file is another matter, the ERP may have it: the
wish is put on record, and a claim takes the file back or finds that it was delivered.
"""

from uuid import UUID

from countersign_platform.database.pool import Database
from countersign_push.act import Act
from countersign_push.export_record import EXPORT_COLUMNS, ExportRecord

_COLUMNS = ", ".join(f"done.{name}" for name in EXPORT_COLUMNS)

_RECORDED = """
    INSERT INTO push.outbox (org_id, id, lane, payload, headers)
    SELECT org_id, $3, 'audit', $4, $5 FROM done"""

# A lease that is out means that a worker is at it already.
EXPEDITE = f"""
WITH done AS (
    UPDATE push.exports e SET next_attempt_at = now()
     WHERE e.org_id = $1 AND e.id = $2 AND e.status = 'PENDING' AND e.next_attempt_at > now()
       AND (e.leased_until IS NULL OR e.leased_until <= now())
    RETURNING e.*
), recorded AS ({_RECORDED}
)
SELECT {_COLUMNS} FROM done
"""

CANCEL = f"""
WITH done AS (
    UPDATE push.exports e
       SET cancel_requested_at = now(),
           status = CASE WHEN e.staged_name IS NULL THEN 'FAILED' ELSE e.status END,
           error_json = CASE WHEN e.staged_name IS NULL THEN jsonb_build_object(
               'code', 'CANCELLED', 'message', $6::text, 'attempt', e.attempt,
               'at', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
               ELSE e.error_json END,
           fence = e.fence + CASE WHEN e.staged_name IS NULL THEN 1 ELSE 0 END,
           next_attempt_at =
               CASE WHEN e.staged_name IS NOT NULL THEN least(e.next_attempt_at, now()) END,
           leased_until = CASE WHEN e.staged_name IS NOT NULL THEN e.leased_until END,
           outcome_unknown_since =
               CASE WHEN e.staged_name IS NOT NULL THEN e.outcome_unknown_since END,
           finished_at = CASE WHEN e.staged_name IS NULL THEN now() END
     WHERE e.org_id = $1 AND e.id = $2 AND e.status = 'PENDING'
       AND e.cancel_requested_at IS NULL
    RETURNING e.*
), recorded AS (
    INSERT INTO push.outbox (org_id, id, lane, payload, headers)
    SELECT done.org_id, act.id, 'audit',
           -- NULL, and the statement refused, should the draft not be PUSHING.
           CASE WHEN done.status = 'PENDING' OR draft.version IS NOT NULL THEN act.payload END,
           act.headers
      FROM done
      LEFT JOIN LATERAL approval.move_draft(
           done.org_id, done.draft_id,
           CASE done.status WHEN 'FAILED' THEN '{{PUSHING}}' ELSE '{{}}' END::text[], 'ERROR') draft
           ON true
     CROSS JOIN LATERAL (VALUES
           (1, $3::uuid, $4::bytea, $5::jsonb), (2, $7::uuid, $8::bytea, $9::jsonb))
        AS act (step, id, payload, headers)
     WHERE act.step = 1 OR done.status = 'FAILED'
     ORDER BY act.step
)
SELECT {_COLUMNS} FROM done
"""


class InterventionStore:
    """Applies what an operator decided; None means that the statement changed nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def expedite(self, org_id: UUID, export_id: UUID, act: Act) -> ExportRecord | None:
        """Due now."""
        row = await self._database.fetchrow(EXPEDITE, org_id, export_id, *act.columns())
        return None if row is None else ExportRecord.from_row(row)

    async def cancel(
        self, org_id: UUID, export_id: UUID, reason: str, asked: Act, ended: Act
    ) -> ExportRecord | None:
        """FAILED, or still PENDING with the wish on record; `ended` is written with FAILED."""
        row = await self._database.fetchrow(
            CANCEL, org_id, export_id, *asked.columns(), reason, *ended.columns()
        )
        return None if row is None else ExportRecord.from_row(row)
