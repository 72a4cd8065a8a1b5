"""Draft orders as the console sees them."""

from typing import Literal

from pydantic import with_config
from typing_extensions import TypedDict

from countersign.approval.v1 import approval_service_pb2 as service
from countersign.approval.v1 import draft_pb2 as drafts
from countersign_core.lifecycle import DraftStatus
from countersign_gateway.replies.audit import AuditEventReply
from countersign_gateway.replies.content import (
    CustomerReply,
    HeaderReply,
    LineReply,
    SourceDocumentReply,
    customer_reply,
    header_reply,
    line_reply,
    source_document_reply,
)
from countersign_gateway.replies.exports import ExportReply
from countersign_gateway.replies.findings import (
    BlockingReasonReply,
    IssueReply,
    blocking_reason_replies,
    issue_reply,
)
from countersign_gateway.replies.values import DOCUMENTED, moment, named, text

# What a detail can lack.
Part = Literal["exports", "audit"]

STATUSES = named(drafts.DraftStatus, DraftStatus)


class ApprovalReply(TypedDict):
    """Who approved which content."""

    approved_at: str | None
    approved_by_user_id: str
    content_version: int
    content_sha256: str


class RejectionReply(TypedDict):
    """Who refused the draft, and why."""

    rejected_at: str | None
    rejected_by_user_id: str
    reason: str


@with_config(DOCUMENTED)
class DraftReply(TypedDict):
    """One draft order, whole."""

    id: str
    external_ref: str
    status: DraftStatus
    version: int
    """Counts every change; send it back in If-Match."""
    customer: CustomerReply
    header: HeaderReply
    lines: list[LineReply]
    source_document: SourceDocumentReply
    content_version: int
    """Version at which the content last changed."""
    content_sha256: str | None
    """Digest of the canonical content: what an approval covers."""
    blocking_reasons: list[BlockingReasonReply]
    issues: list[IssueReply]
    total_value: str | None
    """Decimal string: sum of qty times unit_price."""
    created_at: str | None
    created_by_user_id: str | None
    updated_at: str | None
    last_edited_by_user_id: str | None
    approval: ApprovalReply | None
    rejection: RejectionReply | None


@with_config(DOCUMENTED)
class SubmitReply(DraftReply):
    """The draft as stored."""

    created: bool
    """False when external_ref was known: this is then the first draft, as it stands now."""
    content_differs: bool
    """True when external_ref was known and this submit carried other content than the first."""


@with_config(DOCUMENTED)
class DraftDetailReply(DraftReply):
    """A draft order with its exports and its story."""

    exports: list[ExportReply] | None
    """Newest first; null when the push service does not answer."""
    audit_trail: list[AuditEventReply] | None
    """The newest 200 events, newest first; null when the audit service does not answer."""
    degraded: list[Part]
    """Parts that are null because their service does not answer."""


@with_config(DOCUMENTED)
class ContentReply(TypedDict):
    """What a draft order said at some time."""

    content_version: int
    """The draft's version at which it came to be."""
    content_sha256: str
    """Digest of the canonical content."""
    created_at: str | None
    created_by_user_id: str | None
    customer: CustomerReply
    header: HeaderReply
    lines: list[LineReply]
    source_document: SourceDocumentReply


@with_config(DOCUMENTED)
class DraftSummaryReply(TypedDict):
    """One row of a list."""

    id: str
    external_ref: str
    status: DraftStatus
    version: int
    customer_name: str | None
    erp_customer_number: str | None
    external_order_number: str | None
    order_date: str | None
    currency: str | None
    total_value: str | None
    line_count: int
    blocking_reasons: list[BlockingReasonReply]
    created_at: str | None
    updated_at: str | None
    approved_by_user_id: str | None
    last_edited_by_user_id: str | None
    """Who may not approve it where a second person is needed."""
    last_export: ExportReply | None
    """The newest export; null before the first push, and unless with_export asks for it."""


@with_config(DOCUMENTED)
class DraftPageReply(TypedDict):
    """One page, in the order asked for."""

    drafts: list[DraftSummaryReply]
    next_page_token: str | None
    """Null on the last page."""
    degraded: list[Part]
    """Parts that are null because their service does not answer."""


@with_config(DOCUMENTED)
class DraftCountReply(TypedDict):
    """How many drafts have a status."""

    status: DraftStatus
    count: int
    """Up to 10,000."""
    more: bool
    """Whether there are more than that."""


class DraftCountsReply(TypedDict):
    """Every status once."""

    counts: list[DraftCountReply]


def draft_reply(draft: drafts.Draft) -> DraftReply:
    """One draft."""
    content = draft.content
    return {
        "id": draft.id,
        "external_ref": draft.external_ref,
        "status": STATUSES[draft.status],
        "version": draft.version,
        "customer": customer_reply(content.customer),
        "header": header_reply(content.header),
        "lines": [line_reply(line) for line in content.lines],
        "source_document": source_document_reply(content.source_document),
        "content_version": draft.content_version,
        "content_sha256": text(draft.content_sha256),
        "blocking_reasons": blocking_reason_replies(draft.blocking_reasons),
        "issues": [issue_reply(issue) for issue in draft.issues],
        "total_value": text(draft.total_value),
        "created_at": moment(draft.created_at),
        "created_by_user_id": text(draft.created_by_user_id),
        "updated_at": moment(draft.updated_at),
        "last_edited_by_user_id": text(draft.last_edited_by_user_id),
        "approval": _approval(draft.approval) if draft.HasField("approval") else None,
        "rejection": _rejection(draft.rejection) if draft.HasField("rejection") else None,
    }


def content_reply(kept: service.GetDraftContentResponse) -> ContentReply:
    """A content that the draft has or once had."""
    content = kept.content
    return {
        "content_version": kept.content_version,
        "content_sha256": kept.content_sha256,
        "created_at": moment(kept.created_at),
        "created_by_user_id": text(kept.created_by_user_id),
        "customer": customer_reply(content.customer),
        "header": header_reply(content.header),
        "lines": [line_reply(line) for line in content.lines],
        "source_document": source_document_reply(content.source_document),
    }


def submit_reply(reply: service.SubmitDraftResponse) -> SubmitReply:
    """What a submit found or made."""
    return {
        **draft_reply(reply.draft),
        "created": reply.created,
        "content_differs": reply.content_differs,
    }


def counts_reply(found: service.CountDraftsResponse) -> DraftCountsReply:
    """Counts by status."""
    return {
        "counts": [
            {"status": STATUSES[each.status], "count": each.count, "more": each.more}
            for each in found.counts
        ]
    }


def summary_reply(row: drafts.DraftSummary, last_export: ExportReply | None) -> DraftSummaryReply:
    """One row of a list."""
    return {
        "id": row.id,
        "external_ref": row.external_ref,
        "status": STATUSES[row.status],
        "version": row.version,
        "customer_name": text(row.customer_name),
        "erp_customer_number": text(row.erp_customer_number),
        "external_order_number": text(row.external_order_number),
        "order_date": text(row.order_date),
        "currency": text(row.currency),
        "total_value": text(row.total_value),
        "line_count": row.line_count,
        "blocking_reasons": blocking_reason_replies(row.blocking_reasons),
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
        "approved_by_user_id": text(row.approved_by_user_id),
        "last_edited_by_user_id": text(row.last_edited_by_user_id),
        "last_export": last_export,
    }


def _approval(approval: drafts.Approval) -> ApprovalReply:
    return {
        "approved_at": moment(approval.approved_at),
        "approved_by_user_id": approval.approved_by_user_id,
        "content_version": approval.content_version,
        "content_sha256": approval.content_sha256,
    }


def _rejection(rejection: drafts.Rejection) -> RejectionReply:
    return {
        "rejected_at": moment(rejection.rejected_at),
        "rejected_by_user_id": rejection.rejected_by_user_id,
        "reason": rejection.reason,
    }
