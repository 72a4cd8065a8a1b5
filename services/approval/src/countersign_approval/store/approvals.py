"""The statement that approves, and the one that says why it did not."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import asyncpg

from countersign_approval.approval_findings import Findings
from countersign_approval.draft import Approval
from countersign_approval.draft_change import ApprovalItem, Approved
from countersign_approval.store.rows import approval_of
from countersign_core.lifecycle import DraftStatus
from countersign_platform.database.pool import Database

# One statement for one draft or for five hundred: move, approval, digest and audit event.
# proto_text appends event_id (1), before_json (9) and after_json (10) to the event that the
# service began, because version and digest are known here first.
_APPROVE = """
WITH asked (draft_id, expected_version, event) AS (
    {asked}
), free AS MATERIALIZED (
    SELECT d.id, asked.event
      FROM asked JOIN approval.draft_orders d ON d.org_id = $1 AND d.id = asked.draft_id
     WHERE d.status = 'READY'
       AND (asked.expected_version IS NULL OR d.version = asked.expected_version)
       AND NOT (d.last_edited_by = $2 AND EXISTS (
               SELECT FROM approval.approval_policies p
                WHERE p.org_id = $1 AND d.total_value > p.four_eyes_above))
     -- Every batch locks its drafts in one order, so that two batches cannot deadlock.
     ORDER BY d.id
       FOR UPDATE OF d
), approved AS (
    UPDATE approval.draft_orders d
       SET status = 'APPROVED', version = d.version + 1, updated_at = now(),
           approved_at = now(), approved_by = $2,
           approved_content_version = d.content_version, approved_sha256 = d.content_sha256
      FROM free
     WHERE d.org_id = $1 AND d.id = free.id AND d.status = 'READY'
    RETURNING d.id, d.version, d.approved_at, d.approved_by, d.approved_content_version,
              d.approved_sha256, free.event
), told AS (
    INSERT INTO approval.outbox (org_id, id, lane, payload, headers)
    SELECT $1, act.id, 'audit',
           event || approval.proto_text(1, act.id::text)
                 || approval.proto_text(9, jsonb_build_object(
                        'status', 'READY', 'version', version - 1)::text)
                 || approval.proto_text(10, jsonb_build_object(
                        'status', 'APPROVED', 'version', version,
                        'content_version', approved_content_version,
                        'content_sha256', encode(approved_sha256, 'hex'))::text),
           $3
      FROM approved
     CROSS JOIN LATERAL approval.draft_event_id($1, approved.id, version, 'DRAFT_APPROVED')
        AS act (id)
)
SELECT * FROM approved
"""
APPROVE_ONE = _APPROVE.format(asked="SELECT $4::uuid, $5::bigint, $6::bytea")
APPROVE_MANY = _APPROVE.format(asked="SELECT * FROM unnest($4::uuid[], $5::bigint[], $6::bytea[])")

FINDINGS = """
SELECT d.id, d.status, d.version, p.four_eyes_above
  FROM approval.draft_orders d
  LEFT JOIN approval.approval_policies p
         ON p.org_id = d.org_id AND d.total_value > p.four_eyes_above AND d.last_edited_by = $2
 WHERE d.org_id = $1 AND d.id = ANY ($3::uuid[])
"""


class ApprovalStore:
    """Gives approvals."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def approve(
        self, org_id: UUID, approver: str, headers: Mapping[str, str], items: Sequence[ApprovalItem]
    ) -> dict[UUID, Approved]:
        """Approves those of `items` (each draft once) that can be; by draft id."""
        arguments = [(item.draft_id, item.expected_version, item.event) for item in items]
        common = (org_id, approver, dict(headers))
        if len(arguments) == 1:
            rows = await self._database.fetch(APPROVE_ONE, *common, *arguments[0])
        else:
            columns = map(list, zip(*arguments, strict=True))
            rows = await self._database.fetch(APPROVE_MANY, *common, *columns)
        return {row["id"]: _approved(row) for row in rows}

    async def findings(
        self, org_id: UUID, approver: str, draft_ids: Sequence[UUID]
    ) -> dict[UUID, Findings]:
        """The facts about each draft that exists, by id."""
        rows = await self._database.fetch(FINDINGS, org_id, approver, list(draft_ids))
        return {row["id"]: _findings(row) for row in rows}


def _approved(row: asyncpg.Record) -> Approved:
    approval = approval_of(row)
    assert isinstance(approval, Approval)
    return Approved(row["id"], row["version"], approval)


def _findings(row: asyncpg.Record) -> Findings:
    return Findings(DraftStatus(row["status"]), row["version"], row["four_eyes_above"])
