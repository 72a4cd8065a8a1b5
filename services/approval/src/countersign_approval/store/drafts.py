"""Drafts: taken in, read, and changed if nobody else changed them first."""

from typing import Any
from uuid import UUID

import asyncpg

from countersign_approval.draft import Draft
from countersign_approval.draft_change import DraftChange, NewDraft, version_after
from countersign_approval.draft_content import CanonicalContent, read_document
from countersign_approval.moves import moves_between
from countersign_approval.search_fields import search_fields
from countersign_approval.store.rows import as_json, draft_of
from countersign_core.lifecycle import DraftStatus
from countersign_platform.database.pool import Database

# The loser of a race on external_ref waits for the winner's commit, then inserts nothing.
SUBMIT = """
WITH made AS (
    INSERT INTO approval.draft_orders (
           org_id, id, external_ref, status, content_sha256, submission_sha256, blocking_reasons,
           issues, created_by, last_edited_by, erp_customer_number, customer_name,
           external_order_number, order_date, currency, total_value, line_count)
    VALUES ($1, $2, $3, $4, $5, $5, $7, $8, $9, $9, $13, $14, $15, $16, $17, $18, $19)
        ON CONFLICT ON CONSTRAINT external_ref_is_unique_in_the_org DO NOTHING
    RETURNING *
), kept AS (
    INSERT INTO approval.draft_contents (
           org_id, draft_id, content_version, content, content_sha256, created_by)
    SELECT org_id, id, content_version, $6, $5, $9 FROM made
), told AS (
    INSERT INTO approval.outbox (org_id, id, lane, payload, headers)
    SELECT org_id, $10, 'audit', $11, $12 FROM made
)
SELECT * FROM made
"""

_READ = """
SELECT d.*, c.content
  FROM approval.draft_orders d
  JOIN approval.draft_contents c
       ON c.org_id = d.org_id AND c.draft_id = d.id AND c.content_version = d.content_version
 WHERE d.org_id = $1 AND
"""
READ = _READ + "d.id = $2"
READ_BY_EXTERNAL_REF = _READ + "d.external_ref = $2"

# A move on the way: READY to NEEDS_REVIEW before REJECTED, NEW to EXTRACTED before the check.
MOVE_ON = """
UPDATE approval.draft_orders
   SET status = $4, version = version + 1, updated_at = now()
 WHERE org_id = $1 AND id = $2 AND version = $3
RETURNING true
"""

_CHANGE = """
WITH changed AS (
    UPDATE approval.draft_orders
       SET status = $4, version = version + 1, updated_at = now(), last_edited_by = $5,
           blocking_reasons = $6, issues = $7,
           approved_at = NULL, approved_by = NULL, approved_content_version = NULL,
           approved_sha256 = NULL,
           rejected_at = CASE WHEN $8::text IS NOT NULL THEN now() END,
           rejected_by = $8, reject_reason = $9 {new_content}
     WHERE org_id = $1 AND id = $2 AND version = $3
    RETURNING *
), told AS (
    INSERT INTO approval.outbox (org_id, id, lane, payload, headers)
    SELECT $1, act.id, 'audit', act.payload, $12
      FROM changed CROSS JOIN unnest($10::uuid[], $11::bytea[]) AS act (id, payload)
) {kept}
SELECT * FROM changed
"""
CHANGE = _CHANGE.format(new_content="", kept="")
CHANGE_CONTENT = _CHANGE.format(
    new_content="""
         , content_version = version + 1, content_sha256 = $13,
           erp_customer_number = $15, customer_name = $16, external_order_number = $17,
           order_date = $18, currency = $19, total_value = $20, line_count = $21""",
    kept=""", kept AS (
    INSERT INTO approval.draft_contents (
           org_id, draft_id, content_version, content, content_sha256, created_by)
    SELECT org_id, id, content_version, $14, $13, $5 FROM changed
)""",
)


class DraftStore:
    """Drafts of one org at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def submit(self, new: NewDraft) -> Draft | None:
        """The draft as stored; None when the org has that external_ref already."""
        row = await self._database.fetchrow(
            SUBMIT,
            new.org_id,
            new.id,
            new.external_ref,
            new.status,
            new.content.sha256,
            new.content.text,
            as_json(new.blocking_reasons),
            as_json(new.issues),
            new.submitter,
            new.act.id,
            new.act.payload,
            dict(new.headers),
            *_columns(new.content),
        )
        return None if row is None else draft_of(row, new.content.document)

    async def read(self, org_id: UUID, draft_id: UUID) -> Draft | None:
        """One draft; None when this org has none of that id."""
        row = await self._database.fetchrow(READ, org_id, draft_id)
        return None if row is None else draft_of(row, read_document(row["content"]))

    async def read_by_external_ref(self, org_id: UUID, external_ref: str) -> Draft | None:
        """One draft by the submitter's id; None when this org has none."""
        row = await self._database.fetchrow(READ_BY_EXTERNAL_REF, org_id, external_ref)
        return None if row is None else draft_of(row, read_document(row["content"]))

    async def change(self, change: DraftChange) -> Draft | None:
        """The draft after the change; None, and nothing written, when somebody was faster."""
        between = moves_between(change.seen.status, change.status)
        if not between:
            row = await self._database.fetchrow(*_statement(change))
        else:
            row = await self._change_through(between, change)
        if row is None:
            return None
        return draft_of(row, change.content.document if change.content else change.seen.document)

    async def _change_through(
        self, between: tuple[DraftStatus, ...], change: DraftChange
    ) -> asyncpg.Record | None:
        seen = change.seen
        async with self._database.transaction() as connection:
            for offset, status in enumerate(between):
                passed = await connection.fetchval(
                    MOVE_ON, seen.org_id, seen.id, seen.version + offset, status
                )
                if passed is None:
                    return None
            return await connection.fetchrow(*_statement(change))


def _statement(change: DraftChange) -> tuple[str, *tuple[Any, ...]]:
    """The statement and its arguments."""
    seen = change.seen
    arguments = [
        seen.org_id,
        seen.id,
        version_after(seen, change.status) - 1,
        change.status,
        change.last_edited_by,
        as_json(change.blocking_reasons),
        as_json(change.issues),
        change.rejected_by,
        change.reject_reason,
        [act.id for act in change.acts],
        [act.payload for act in change.acts],
        dict(change.headers),
    ]
    if change.content is None:
        return CHANGE, *arguments
    content = change.content
    return CHANGE_CONTENT, *arguments, content.sha256, content.text, *_columns(content)


def _columns(content: CanonicalContent) -> list[Any]:
    """What is copied out of the content, in the order of both statements."""
    fields = search_fields(content.document)
    return [
        fields.erp_customer_number,
        fields.customer_name,
        fields.external_order_number,
        fields.order_date,
        fields.currency,
        fields.total_value,
        fields.line_count,
    ]
