"""Reads of exports, for people."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    TIMESTAMP,
    ColumnElement,
    Exists,
    Text,
    Uuid,
    any_,
    column,
    exists,
    func,
    literal,
    select,
    table,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY

from countersign_core.lifecycle import DraftStatus
from countersign_platform.database.composed import at_most, composed
from countersign_platform.database.pool import Database
from countersign_push.export_filters import ExportFilters, ExportPosition
from countersign_push.export_record import EXPORT_COLUMNS, ExportRecord

_COLUMNS = ", ".join(f"e.{name}" for name in EXPORT_COLUMNS)

GET = f"SELECT {_COLUMNS} FROM push.exports e WHERE e.org_id = $1 AND e.id = $2"

GET_WITH_CONTENT = f"""
SELECT {_COLUMNS}, c.content
  FROM push.exports e
  LEFT JOIN approval.draft_contents c
         ON c.org_id = e.org_id AND c.draft_id = e.draft_id
        AND c.content_version = e.content_version
 WHERE e.org_id = $1 AND e.id = $2
"""

GET_MANY_WITH_CONTENT = f"""
SELECT {_COLUMNS}, c.content
  FROM (SELECT $1::uuid[] AS orgs, $2::uuid[] AS ids OFFSET 0) arrays
 CROSS JOIN LATERAL unnest(orgs, ids) AS asked (org_id, id)
  JOIN push.exports e ON e.org_id = asked.org_id AND e.id = asked.id
  LEFT JOIN approval.draft_contents c
         ON c.org_id = e.org_id AND c.draft_id = e.draft_id
        AND c.content_version = e.content_version
"""

APPROVED_DRAFT = f"""
SELECT d.status AS draft_status, d.approved_at AS draft_approved_at, d.approved_sha256, c.content,
       {_COLUMNS}
  FROM approval.draft_orders d
  JOIN approval.draft_contents c
       ON c.org_id = d.org_id AND c.draft_id = d.id AND c.content_version = d.content_version
  LEFT JOIN LATERAL (
       SELECT * FROM push.exports last
        WHERE last.org_id = d.org_id AND last.draft_id = d.id
        ORDER BY last.created_at DESC, last.id DESC LIMIT 1) e ON true
 WHERE d.org_id = $1 AND d.id = $2
"""

_EXPORTS = table("exports", *(column(name) for name in EXPORT_COLUMNS), schema="push")


@dataclass(frozen=True, slots=True)
class ApprovedDraft:
    """A draft as the preview needs it.

    `approved_at` and `approved_sha256` (32 bytes) are None while it is not approved;
    `last_export` is None before the first push.
    """

    status: DraftStatus
    approved_at: datetime | None
    approved_sha256: bytes | None
    content: str
    last_export: ExportRecord | None


# An export, and the canonical content that was approved for it; None if that is gone.
WithContent = tuple[ExportRecord, str | None]


class ExportStore:
    """Exports; for people, of one org at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, org_id: UUID, export_id: UUID) -> ExportRecord | None:
        """One export; None when this org has none of that id."""
        row = await self._database.fetchrow(GET, org_id, export_id)
        return None if row is None else ExportRecord.from_row(row)

    async def with_content(self, org_id: UUID, export_id: UUID) -> WithContent | None:
        """One export and the canonical content that was approved for it."""
        row = await self._database.fetchrow(GET_WITH_CONTENT, org_id, export_id)
        return None if row is None else (ExportRecord.from_row(row), row["content"])

    async def many_with_content(
        self, exports: Sequence[tuple[UUID, UUID]]
    ) -> dict[tuple[UUID, UUID], WithContent]:
        """As with_content, of any orgs, by (org_id, export_id); those that there are."""
        orgs, ids = [org_id for org_id, _ in exports], [each for _, each in exports]
        rows = await self._database.fetch(GET_MANY_WITH_CONTENT, orgs, ids)
        return {
            (row["org_id"], row["id"]): (ExportRecord.from_row(row), row["content"]) for row in rows
        }

    async def list(
        self, org_id: UUID, filters: ExportFilters, after: ExportPosition | None, limit: int
    ) -> list[ExportRecord]:
        """At most `limit` exports, newest first, those behind `after`."""
        query = (
            select(_EXPORTS)
            .where(_EXPORTS.c.org_id == literal(org_id, Uuid()), *_conditions(filters, after))
            .order_by(_EXPORTS.c.created_at.desc(), _EXPORTS.c.id.desc())
            .limit(at_most(limit))
        )
        sql, arguments = composed(query)
        rows = await self._database.fetch(sql, *arguments)
        return [ExportRecord.from_row(row) for row in rows]

    async def approved_draft(self, org_id: UUID, draft_id: UUID) -> ApprovedDraft | None:
        """The draft with its content and last export; None when this org has no such draft."""
        row = await self._database.fetchrow(APPROVED_DRAFT, org_id, draft_id)
        if row is None:
            return None
        return ApprovedDraft(
            status=DraftStatus(row["draft_status"]),
            approved_at=row["draft_approved_at"],
            approved_sha256=row["approved_sha256"],
            content=row["content"],
            last_export=None if row["id"] is None else ExportRecord.from_row(row),
        )


def _conditions(filters: ExportFilters, after: ExportPosition | None) -> list[ColumnElement[bool]]:
    export = _EXPORTS.c
    conditions: list[ColumnElement[bool]] = []
    if filters.statuses:
        wanted = literal([status.value for status in filters.statuses], ARRAY(Text()))
        conditions.append(export.status == any_(wanted))
    if filters.draft_id is not None:
        conditions.append(export.draft_id == literal(filters.draft_id, Uuid()))
    if filters.stuck_for_seconds:
        conditions += _stuck(filters.stuck_for_seconds)
    if filters.held:
        conditions.append(export.outcome_unknown_since.is_not(None))
    if filters.created_from is not None:
        conditions.append(export.created_at >= _moment(filters.created_from))
    if filters.created_to is not None:
        conditions.append(export.created_at < _moment(filters.created_to))
    if filters.connection_id is not None:
        conditions.append(export.connection_id == literal(filters.connection_id, Uuid()))
    conditions += _states(filters)
    if after is not None:
        position = tuple_(_moment(after.created_at), literal(after.export_id, Uuid()))
        conditions.append(tuple_(export.created_at, export.id) < position)
    return conditions


def _states(filters: ExportFilters) -> list[ColumnElement[bool]]:
    export = _EXPORTS.c
    conditions: list[ColumnElement[bool]] = []
    if filters.ack_overdue:
        conditions += [export.status == "SENT", export.ack_due_at < func.now()]
    if filters.retrying:
        conditions += [export.status == "PENDING", export.error_json.is_not(None)]
    if filters.draft_ids:
        conditions.append(export.draft_id == any_(literal(list(filters.draft_ids), ARRAY(Uuid()))))
    if filters.newest_of_draft:
        conditions.append(~_younger_exists())
    if filters.error_code:
        code = func.jsonb_extract_path_text(export.error_json, "code")
        conditions.append(code == filters.error_code)
    return conditions


def _younger_exists() -> Exists:
    younger = _EXPORTS.alias("younger")
    return exists().where(
        younger.c.org_id == _EXPORTS.c.org_id,
        younger.c.draft_id == _EXPORTS.c.draft_id,
        tuple_(younger.c.created_at, younger.c.id) > tuple_(_EXPORTS.c.created_at, _EXPORTS.c.id),
    )


def _stuck(seconds: int) -> list[ColumnElement[bool]]:
    export = _EXPORTS.c
    due = func.greatest(export.next_attempt_at, export.leased_until)
    return [
        export.status == "PENDING",
        due <= func.now() - func.make_interval(0, 0, 0, 0, 0, 0, seconds),
    ]


def _moment(value: datetime) -> ColumnElement[datetime]:
    return literal(value, TIMESTAMP(timezone=True))
