"""Approve, reject, push and retry, alone and in batches."""

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, StrictInt

from countersign.approval.v1 import approval_service_pb2 as approvals
from countersign.push.v1 import push_service_pb2 as pushes
from countersign_gateway.bodies.fields import Body

MAX_BATCH = 500

Version = Annotated[StrictInt, Field(ge=1, le=2**63 - 1)]


class NoBody(Body):
    """A body without members, for routes that take none."""


class RejectBody(Body):
    """Why the draft is refused."""

    reason: str = Field(min_length=1, max_length=2000)
    """Kept on the draft and in the audit trail."""


class PushBody(Body):
    """Where to push to."""

    erp_connection_id: UUID | None = None
    """The connection to push through; null means the only active one."""


class RetryBody(PushBody):
    """Why and where to push again."""

    reason: str | None = Field(None, max_length=2000)
    """Kept on the export and in the audit trail."""


class ApproveItem(Body):
    """One draft of a batch."""

    draft_order_id: UUID
    expected_version: Version | None = None
    """The version that you saw; a draft that changed since is not approved."""


class PushItem(PushBody):
    """One draft of a batch."""

    draft_order_id: UUID
    expected_version: Version | None = None
    """The version that you saw; a draft that changed since is not pushed."""


class BatchApproveBody(Body):
    """Up to 500 drafts, each once."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "items": [
                        {
                            "draft_order_id": "7f7b0a5e-8f0e-4a53-9d43-0b1a8a1f6d11",
                            "expected_version": 3,
                        }
                    ]
                }
            ]
        }
    )

    items: list[ApproveItem] = Field(min_length=1, max_length=MAX_BATCH)


class BatchPushBody(Body):
    """Up to 500 drafts, each once."""

    items: list[PushItem] = Field(min_length=1, max_length=MAX_BATCH)


def push_request(draft_id: UUID, expected: int | None, body: PushBody) -> pushes.PushDraftRequest:
    """The message for a push."""
    return pushes.PushDraftRequest(
        draft_order_id=str(draft_id),
        expected_version=expected,
        erp_connection_id=_id(body.erp_connection_id),
    )


def retry_request(draft_id: UUID, expected: int | None, body: RetryBody) -> pushes.RetryPushRequest:
    """The message for a retry."""
    return pushes.RetryPushRequest(
        draft_order_id=str(draft_id),
        expected_version=expected,
        reason=body.reason or "",
        erp_connection_id=_id(body.erp_connection_id),
    )


def batch_approve_request(body: BatchApproveBody) -> approvals.BatchApproveDraftsRequest:
    """The message for a batch of approvals."""
    items = [
        approvals.ApproveDraftRequest(
            draft_order_id=str(item.draft_order_id), expected_version=item.expected_version
        )
        for item in body.items
    ]
    return approvals.BatchApproveDraftsRequest(items=items)


def batch_push_request(body: BatchPushBody) -> pushes.BatchPushDraftsRequest:
    """The message for a batch of pushes."""
    items = [push_request(item.draft_order_id, item.expected_version, item) for item in body.items]
    return pushes.BatchPushDraftsRequest(items=items)


def _id(value: UUID | None) -> str:
    return "" if value is None else str(value)
