"""What approve and push answer, alone and in batches."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from countersign.approval.v1 import approval_service_pb2 as approvals
from countersign.errors.v1 import errors_pb2
from countersign.push.v1 import push_service_pb2 as pushes
from countersign_core.errors import CountersignError
from countersign_core.lifecycle import DraftStatus
from countersign_core.reasons import Reason
from countersign_gateway.replies.drafts import STATUSES
from countersign_gateway.replies.problem import ProblemReply
from countersign_gateway.replies.values import DOCUMENTED, moment, named

ProblemOf = Callable[[str, CountersignError], ProblemReply]


class PushStatus(StrEnum):
    """What a push found or made."""

    PUSHING = "PUSHING"
    IN_PROGRESS = "in_progress"
    SENT = "SENT"
    ACKED = "ACKED"
    FAILED = "FAILED"


_OUTCOMES = {
    pushes.PUSH_OUTCOME_PUSHING: PushStatus.PUSHING,
    pushes.PUSH_OUTCOME_IN_PROGRESS: PushStatus.IN_PROGRESS,
    pushes.PUSH_OUTCOME_SENT: PushStatus.SENT,
    pushes.PUSH_OUTCOME_ACKED: PushStatus.ACKED,
    pushes.PUSH_OUTCOME_FAILED: PushStatus.FAILED,
}
_REASONS = named(errors_pb2.ErrorReason, Reason)


_APPROVED: dict[str, Any] = {
    "id": "7f7b0a5e-8f0e-4a53-9d43-0b1a8a1f6d11",
    "status": "APPROVED",
    "approved_at": "2026-03-01T09:30:00.123456Z",
    "approved_by_user_id": "olga",
    "version": 4,
}
_PUSHED: dict[str, Any] = {
    "erp_export_id": "0e4ae0aa-0f5c-4f67-8f7e-5f5a2f1b8c0e",
    "status": "PUSHING",
}


def _shown(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(use_attribute_docstrings=True, json_schema_extra={"examples": [example]})


@with_config(_shown(_APPROVED))
class ApproveReply(TypedDict):
    """Who approved which version, when."""

    id: str
    status: DraftStatus
    approved_at: str | None
    approved_by_user_id: str
    version: int
    """The draft's version after the approval."""


@with_config(_shown(_PUSHED))
class PushReply(TypedDict):
    """The export."""

    erp_export_id: str
    status: PushStatus
    """PUSHING for a new export; otherwise where the replayed one stands."""


@with_config(DOCUMENTED)
class BatchApproveResult(TypedDict):
    """What became of one draft: `problem` is null exactly when `ok`."""

    draft_order_id: str
    ok: bool
    status: DraftStatus | None
    approved_at: str | None
    approved_by_user_id: str | None
    version: int | None
    problem: ProblemReply | None


class BatchApproveReply(TypedDict):
    """A result per item, in the order asked."""

    results: list[BatchApproveResult]


@with_config(DOCUMENTED)
class BatchPushResult(TypedDict):
    """What became of one draft: `problem` is null exactly when `ok`."""

    draft_order_id: str
    ok: bool
    erp_export_id: str | None
    status: PushStatus | None
    replayed: bool
    """True when an earlier call with the same key made the export."""
    problem: ProblemReply | None


class BatchPushReply(TypedDict):
    """A result per item, in the order asked."""

    results: list[BatchPushResult]


def approve_reply(reply: approvals.ApproveDraftResponse) -> ApproveReply:
    """What was approved."""
    return {
        "id": reply.draft_order_id,
        "status": STATUSES[reply.status],
        "approved_at": moment(reply.approval.approved_at),
        "approved_by_user_id": reply.approval.approved_by_user_id,
        "version": reply.version,
    }


def push_reply(reply: pushes.PushDraftResponse | pushes.RetryPushResponse) -> PushReply:
    """What a push found or made."""
    return {"erp_export_id": reply.erp_export_id, "status": _OUTCOMES[reply.outcome]}


def batch_approve_result(
    result: approvals.BatchApproveResult, problem_of: ProblemOf
) -> BatchApproveResult:
    """One draft of a batch."""
    draft_id, refused = result.draft_order_id, result.HasField("problem")
    approved: Any = {} if refused else approve_reply(result.approved)
    return {
        "draft_order_id": draft_id,
        "ok": not refused,
        "status": approved.get("status"),
        "approved_at": approved.get("approved_at"),
        "approved_by_user_id": approved.get("approved_by_user_id"),
        "version": approved.get("version"),
        "problem": problem_of(draft_id, _refusal(result.problem)) if refused else None,
    }


def batch_push_result(result: pushes.BatchPushResult, problem_of: ProblemOf) -> BatchPushResult:
    """One draft of a batch."""
    draft_id, refused = result.draft_order_id, result.HasField("problem")
    pushed: Any = {} if refused else push_reply(result.pushed)
    return {
        "draft_order_id": draft_id,
        "ok": not refused,
        "erp_export_id": pushed.get("erp_export_id"),
        "status": pushed.get("status"),
        "replayed": result.pushed.replayed,
        "problem": problem_of(draft_id, _refusal(result.problem)) if refused else None,
    }


def _refusal(problem: errors_pb2.Problem) -> CountersignError:
    reason = _REASONS.get(problem.reason, Reason.INTERNAL)
    error = CountersignError(reason, problem.message)
    error.metadata = dict(problem.metadata)
    return error
