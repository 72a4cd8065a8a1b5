"""Rows of approval.draft_orders as drafts, and back."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import asyncpg

from countersign_approval.draft import (
    Approval,
    BlockingReason,
    Document,
    Draft,
    DraftSummary,
    Issue,
    Rejection,
    Severity,
)
from countersign_core.lifecycle import DraftStatus


def draft_of(row: asyncpg.Record, document: Document) -> Draft:
    """The draft in a whole row of draft_orders; `document` is its content."""
    return Draft(
        org_id=row["org_id"],
        id=row["id"],
        external_ref=row["external_ref"],
        status=DraftStatus(row["status"]),
        version=row["version"],
        document=document,
        content_version=row["content_version"],
        content_sha256=row["content_sha256"],
        submission_sha256=row["submission_sha256"],
        blocking_reasons=_reasons(row["blocking_reasons"]),
        issues=tuple(_issue(item) for item in row["issues"]),
        total_value=row["total_value"],
        created_at=row["created_at"],
        created_by=row["created_by"],
        updated_at=row["updated_at"],
        last_edited_by=row["last_edited_by"],
        approval=approval_of(row),
        rejection=_rejection(row),
    )


def summary_of(row: asyncpg.Record) -> DraftSummary:
    """The list's row in the columns that drafts.listing selects."""
    values = dict(row)
    values["status"] = DraftStatus(values["status"])
    values["blocking_reasons"] = _reasons(values["blocking_reasons"])
    return DraftSummary(**values)


def approval_of(row: asyncpg.Record) -> Approval | None:
    """The approval that stands in a row; None when there is none."""
    if row["approved_at"] is None:
        return None
    return Approval(
        row["approved_at"],
        row["approved_by"],
        row["approved_content_version"],
        row["approved_sha256"],
    )


def as_json(items: Iterable[Issue | BlockingReason]) -> list[dict[str, Any]]:
    """Issues or reasons as a jsonb column takes them."""
    return [asdict(item) for item in items]


def _reasons(items: list[dict[str, Any]]) -> tuple[BlockingReason, ...]:
    return tuple(BlockingReason(**item) for item in items)


def _issue(item: dict[str, Any]) -> Issue:
    return Issue(**{**item, "severity": Severity(item["severity"])})


def _rejection(row: asyncpg.Record) -> Rejection | None:
    if row["rejected_at"] is None:
        return None
    return Rejection(row["rejected_at"], row["rejected_by"], row["reject_reason"])
