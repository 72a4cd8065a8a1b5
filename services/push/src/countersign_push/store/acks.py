"""The ERP's answers: each step one statement that looks at the status it starts from.

An answer needs no lease. Where it overtakes a worker's own report, the fence is raised, so
that the report finds its lease lost instead of a status it does not expect.
"""

from typing import Any
from uuid import UUID

from countersign_platform.database.pool import Database
from countersign_push.ack_step import Ack
from countersign_push.act import Act
from countersign_push.export_record import EXPORT_COLUMNS, ExportRecord
from countersign_push.store.to_archive import archive_row, insert_to_archive

_RECORDED = """
    INSERT INTO push.outbox (org_id, id, lane, payload, headers)
    SELECT org_id, $3, 'audit', $4, $5 FROM done"""

_DELIVERED = "e.org_id, e.draft_id, e.id, e.sent_at, e.document_sha256, e.archived_at"

# The file name goes before the id; an answer that names both must mean one export. Connections
# that share a place for answers, as one does that replaces another, answer for each other: who
# of them finds a file is chance.
READ_ANSWERED = f"""
SELECT {", ".join(EXPORT_COLUMNS)} FROM push.exports
 WHERE org_id = $1 AND (file_name = $3 OR id = $4)
   AND connection_id = ANY (ARRAY(
       SELECT other.id
         FROM push.erp_connections finder
         JOIN push.erp_connections other
           ON other.org_id = finder.org_id
          AND (other.id = finder.id
               OR other.connector_type = 'DROPZONE_JSON_V1'
              AND other.connector_type = finder.connector_type
              AND other.config ->> 'ack_path' = finder.config ->> 'ack_path'
              AND other.config ->> 'transport' = finder.config ->> 'transport'
              AND other.config ->> 'host' IS NOT DISTINCT FROM finder.config ->> 'host'
              AND other.config ->> 'port' IS NOT DISTINCT FROM finder.config ->> 'port')
        WHERE finder.org_id = $1 AND finder.id = $2))
 ORDER BY file_name = $3 DESC LIMIT 1
"""

DELIVER = f"""
WITH done AS (
    UPDATE push.exports e
       SET status = 'SENT', sent_at = now(), evidence = 'ACKED', fence = e.fence + 1,
           next_attempt_at = NULL, leased_until = NULL, outcome_unknown_since = NULL,
           finished_at = now(),
           ack_due_at = (SELECT now() + make_interval(secs => c.ack_sla_seconds)
                           FROM push.erp_connections c
                          WHERE c.org_id = e.org_id AND c.id = e.connection_id)
     WHERE e.org_id = $1 AND e.id = $2 AND e.status = 'PENDING' AND e.staged_name IS NOT NULL
    RETURNING {_DELIVERED}
), recorded AS ({_RECORDED}
), kept AS ({insert_to_archive("done", "$6")}
)
SELECT draft.version
  FROM done
  LEFT JOIN LATERAL approval.move_draft(done.org_id, done.draft_id, '{{PUSHING}}', 'PUSHED') draft
         ON true
"""

CONFIRM = f"""
WITH done AS (
    UPDATE push.exports e
       SET status = 'ACKED', acked_at = now(), erp_order_id = nullif($6, '')
     WHERE e.org_id = $1 AND e.id = $2 AND e.status = 'SENT'
    RETURNING e.org_id
), recorded AS ({_RECORDED}
)
SELECT true FROM done
"""

REFUSE = f"""
WITH done AS (
    UPDATE push.exports e
       SET status = 'FAILED', acked_at = now(), sent_at = coalesce(e.sent_at, now()),
           evidence = coalesce(e.evidence, 'ACKED'),
           error_json = jsonb_build_object(
               'code', $6::text, 'message', $7::text, 'attempt', e.attempt,
               'at', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')),
           fence = e.fence + CASE e.status WHEN 'PENDING' THEN 1 ELSE 0 END,
           next_attempt_at = NULL, leased_until = NULL, outcome_unknown_since = NULL,
           finished_at = coalesce(e.finished_at, now())
     WHERE e.org_id = $1 AND e.id = $2 AND e.status = $9
       AND (e.status = 'SENT' OR (e.status = 'PENDING' AND e.staged_name IS NOT NULL))
    RETURNING {_DELIVERED}
), recorded AS ({_RECORDED}
), kept AS ({insert_to_archive("done", "$8")}
)
SELECT draft.version
  FROM done
  LEFT JOIN LATERAL approval.move_draft(
       done.org_id, done.draft_id, '{{PUSHING,PUSHED}}', 'ERROR') draft ON true
"""


class AckStore:
    """Applies the steps of an answer; False means that the export moved meanwhile."""

    def __init__(self, database: Database, *, archived: bool = False) -> None:
        """`archived`: what the ERP has is to be put into the archive."""
        self._database = database
        self._archived = archived

    async def find(
        self, org_id: UUID, connection_id: UUID, file_name: str, export_id: UUID | None
    ) -> ExportRecord | None:
        """The export that a file of this name belongs to, or else the one of this id."""
        row = await self._database.fetchrow(
            READ_ANSWERED, org_id, connection_id, file_name, export_id
        )
        return None if row is None else ExportRecord.from_row(row)

    async def deliver(self, export: ExportRecord, act: Act) -> bool:
        """PENDING → SENT on the ERP's word, draft → PUSHED."""
        return await self._apply(DELIVER, export, act, self._row(export))

    async def confirm(self, export: ExportRecord, ack: Ack, act: Act) -> bool:
        """SENT → ACKED."""
        return await self._apply(CONFIRM, export, act, ack.erp_order_id)

    async def refuse(self, export: ExportRecord, ack: Ack, act: Act) -> bool:
        """PENDING or SENT → FAILED, draft → ERROR; from the one that `act` tells of."""
        words, seen = (ack.code, ack.message), export.status.value
        return await self._apply(REFUSE, export, act, *words, self._row(export), seen)

    def _row(self, export: ExportRecord) -> UUID | None:
        return archive_row(export.org_id, export.id) if self._archived else None

    async def _apply(self, statement: str, export: ExportRecord, act: Act, *values: Any) -> bool:
        row = await self._database.fetchrow(
            statement, export.org_id, export.id, *act.columns(), *values
        )
        return row is not None
