"""The second statement of a push that did not happen: what stands in its way."""

from uuid import UUID

import asyncpg

from countersign_core.lifecycle import DraftStatus, ExportStatus
from countersign_platform.database.pool import Database
from countersign_push.push_refusal import ActiveExport, Findings
from countersign_push.store.push import PushBatch, replay_of

FINDINGS = """
SELECT a.export_id AS asked_id, d.status AS draft_status, d.version AS draft_version,
       policy.four_eyes_above, choice.usable, named.status AS named_connection,
       replay.*, active.*
  FROM unnest($5::uuid[], $6::uuid[], $7::uuid[], $8::bytea[])
       AS a (draft_id, export_id, connection_id, request_sha256)
  LEFT JOIN approval.draft_orders d ON d.org_id = $1 AND d.id = a.draft_id
  LEFT JOIN approval.approval_policies policy
         ON policy.org_id = $1 AND d.total_value > policy.four_eyes_above AND d.approved_by = $4
  LEFT JOIN push.erp_connections named ON named.org_id = $1 AND named.id = a.connection_id
 CROSS JOIN LATERAL (
       SELECT count(*) AS usable FROM push.erp_connections c
        WHERE c.org_id = $1 AND c.status <> 'DISABLED'
          AND (a.connection_id IS NULL OR c.id = a.connection_id)) choice
  LEFT JOIN LATERAL (
       SELECT e.id AS replayed_id, e.status AS replayed_status,
              k.request_sha256 = a.request_sha256 AS same_request,
              extract(epoch FROM k.expires_at - now())::float8 AS lifetime_seconds
         FROM push.idempotency_keys k
         JOIN push.exports e ON e.org_id = k.org_id AND e.id = k.export_id
        WHERE k.org_id = $1 AND k.draft_id = a.draft_id AND k.operation = $2 AND k.key = $3
          AND k.expires_at > now() LIMIT 1) replay ON true
  LEFT JOIN LATERAL (
       SELECT e.id AS active_id, e.status AS active_status,
              e.outcome_unknown_since IS NOT NULL AS active_held
         FROM push.exports e
        WHERE e.org_id = $1 AND e.draft_id = a.draft_id AND e.status <> 'FAILED') active ON true
"""


class FindingsStore:
    """Reads why drafts were not pushed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, batch: PushBatch) -> dict[UUID, Findings]:
        """The facts about each draft of `batch`, by export id."""
        rows = await self._database.fetch(
            FINDINGS,
            batch.org_id,
            batch.operation,
            batch.key,
            batch.pusher,
            [item.intent.draft_id for item in batch.items],
            [item.export_id for item in batch.items],
            [item.intent.connection_id for item in batch.items],
            [item.request_sha256 for item in batch.items],
        )
        return {row["asked_id"]: _findings(row) for row in rows}


def _findings(row: asyncpg.Record) -> Findings:
    status = row["draft_status"]
    return Findings(
        replay=replay_of(row),
        draft_status=None if status is None else DraftStatus(status),
        draft_version=row["draft_version"],
        active_export=_active_export(row),
        second_person_above=row["four_eyes_above"],
        usable_connections=row["usable"],
        named_connection=row["named_connection"],
    )


def _active_export(row: asyncpg.Record) -> ActiveExport | None:
    if row["active_id"] is None:
        return None
    return ActiveExport(row["active_id"], ExportStatus(row["active_status"]), row["active_held"])
