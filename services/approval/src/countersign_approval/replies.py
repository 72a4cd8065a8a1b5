"""From what the commands answer to the contract's messages."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from countersign.approval.v1 import approval_service_pb2 as pb
from countersign.approval.v1 import draft_pb2
from countersign_approval.commands.approve_drafts import Outcome
from countersign_approval.commands.count_drafts import DraftCount
from countersign_approval.draft import (
    Approval,
    BlockingReason,
    Draft,
    DraftSummary,
    Issue,
    KeptContent,
    Rejection,
)
from countersign_approval.draft_change import Approved
from countersign_approval.draft_content import message_of
from countersign_approval.order_value import decimal_text
from countersign_approval.status_change import StatusChange
from countersign_core.lifecycle import DraftStatus
from countersign_platform.rpc.problem import problem_of


def draft_message(draft: Draft) -> draft_pb2.Draft:
    """A draft, whole."""
    return draft_pb2.Draft(
        id=str(draft.id),
        external_ref=draft.external_ref,
        status=_status(draft.status),
        version=draft.version,
        content=message_of(draft.document),
        content_version=draft.content_version,
        content_sha256=draft.content_sha256.hex(),
        blocking_reasons=[_reason(reason) for reason in draft.blocking_reasons],
        issues=[_issue(issue) for issue in draft.issues],
        total_value=decimal_text(draft.total_value),
        created_at=_timestamp(draft.created_at),
        created_by_user_id=draft.created_by,
        updated_at=_timestamp(draft.updated_at),
        last_edited_by_user_id=draft.last_edited_by,
        approval=_approval(draft.approval) if draft.approval else None,
        rejection=_rejection(draft.rejection) if draft.rejection else None,
    )


def content_reply(content: KeptContent) -> pb.GetDraftContentResponse:
    """A content that a draft has or once had."""
    return pb.GetDraftContentResponse(
        content=message_of(content.document),
        content_version=content.version,
        content_sha256=content.sha256.hex(),
        created_at=_timestamp(content.created_at),
        created_by_user_id=content.created_by,
    )


def summary_message(draft: DraftSummary) -> draft_pb2.DraftSummary:
    """One row of a list."""
    return draft_pb2.DraftSummary(
        id=str(draft.id),
        external_ref=draft.external_ref,
        status=_status(draft.status),
        version=draft.version,
        customer_name=draft.customer_name or "",
        erp_customer_number=draft.erp_customer_number or "",
        external_order_number=draft.external_order_number or "",
        order_date=draft.order_date.isoformat() if draft.order_date else "",
        currency=draft.currency or "",
        total_value=decimal_text(draft.total_value),
        line_count=draft.line_count,
        blocking_reasons=[_reason(reason) for reason in draft.blocking_reasons],
        created_at=_timestamp(draft.created_at),
        updated_at=_timestamp(draft.updated_at),
        approved_by_user_id=draft.approved_by or "",
        last_edited_by_user_id=draft.last_edited_by,
    )


def count_message(status: DraftStatus, found: DraftCount) -> pb.DraftCount:
    """How many drafts have a status."""
    return pb.DraftCount(status=_status(status), count=found.count, more=found.more)


def approve_reply(approved: Approved) -> pb.ApproveDraftResponse:
    """An approval that was given."""
    return pb.ApproveDraftResponse(
        draft_order_id=str(approved.draft_id),
        status=_status(DraftStatus.APPROVED),
        version=approved.version,
        approval=_approval(approved.approval),
    )


def batch_result(draft_id: UUID, outcome: Outcome) -> pb.BatchApproveResult:
    """What became of one draft of a batch."""
    result = pb.BatchApproveResult(draft_order_id=str(draft_id))
    if isinstance(outcome, Approved):
        result.approved.CopyFrom(approve_reply(outcome))
    else:
        result.problem.CopyFrom(problem_of(outcome))
    return result


def watch_reply(change: StatusChange | None) -> pb.WatchDraftsResponse:
    """A status change, or a sign of life."""
    if change is None:
        return pb.WatchDraftsResponse()
    return pb.WatchDraftsResponse(
        cursor=str(change.id),
        draft_order_id=str(change.draft_id),
        from_status=_status(change.from_status),
        to_status=_status(change.to_status),
        version=change.version,
        changed_at=_timestamp(change.changed_at),
    )


def threshold_text(threshold: Decimal | None) -> str:
    """A four-eyes threshold; empty is off."""
    return "" if threshold is None else decimal_text(threshold)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Looked up once: a list names fifty.
_STATUSES: dict[DraftStatus | None, draft_pb2.DraftStatus.ValueType] = {
    status: draft_pb2.DraftStatus.Value(f"DRAFT_STATUS_{status or 'UNSPECIFIED'}")
    for status in (None, *DraftStatus)
}


def _status(status: DraftStatus | None) -> draft_pb2.DraftStatus.ValueType:
    return _STATUSES[status]


def _reason(reason: BlockingReason) -> draft_pb2.BlockingReason:
    return draft_pb2.BlockingReason(
        code=reason.code, message=reason.message, line_no=reason.line_no
    )


def _issue(issue: Issue) -> draft_pb2.Issue:
    return draft_pb2.Issue(
        id=issue.id,
        code=issue.code,
        severity=draft_pb2.IssueSeverity.Value(f"ISSUE_SEVERITY_{issue.severity}"),
        message=issue.message,
        line_no=issue.line_no,
        resolved=issue.resolved,
    )


def _approval(approval: Approval) -> draft_pb2.Approval:
    return draft_pb2.Approval(
        approved_at=_timestamp(approval.approved_at),
        approved_by_user_id=approval.approved_by,
        content_version=approval.content_version,
        content_sha256=approval.content_sha256.hex(),
    )


def _rejection(rejection: Rejection) -> draft_pb2.Rejection:
    return draft_pb2.Rejection(
        rejected_at=_timestamp(rejection.rejected_at),
        rejected_by_user_id=rejection.rejected_by,
        reason=rejection.reason,
    )


def _timestamp(moment: datetime) -> Timestamp:
    # FromDatetime without its checks, which take ten times as long.
    since = moment - _EPOCH
    return Timestamp(seconds=since.days * 86_400 + since.seconds, nanos=since.microseconds * 1000)
