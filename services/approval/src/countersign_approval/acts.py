"""What goes on record: one audit event per act, written by the statement that acts.

    submit          DRAFT_SUBMITTED
    edit            DRAFT_EDITED; before it DRAFT_APPROVAL_REVOKED when there was an approval
    validate        DRAFT_EDITED with `validated: true`, when it changes the draft; else nothing
    approve         DRAFT_APPROVED
    revoke          DRAFT_APPROVAL_REVOKED
    reject          DRAFT_REJECTED
    policy          APPROVAL_POLICY_CHANGED, when the threshold changes; else nothing

A call that changes nothing is no act. The contents themselves are not repeated here: every one
is kept in draft_contents, and the event names it by version and digest.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from countersign_approval.draft import Draft
from countersign_core.audit_actions import AuditAction, EntityType
from countersign_core.ids import draft_event_id
from countersign_core.lifecycle import DraftStatus
from countersign_platform.outbox.audit_record import audit_row
from countersign_platform.rpc.call import Call

_NOT_YET = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Act:
    """A row of the outbox: the event's id and the serialized AuditEvent."""

    id: UUID
    payload: bytes


def draft_act(
    call: Call,
    action: AuditAction,
    draft_id: UUID,
    version: int,
    *,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any],
) -> Act:
    """An act that gave the draft `version`."""
    event_id, payload = audit_row(
        call,
        action,
        EntityType.DRAFT_ORDER,
        draft_id,
        org_id=call.org_id,
        event_id=draft_event_id(call.org_id, draft_id, version, action),
        draft_order_id=draft_id,
        before=before,
        after={**after, "version": version},
    )
    return Act(event_id, payload)


def approval_begun(call: Call, draft_id: UUID) -> bytes:
    """DRAFT_APPROVED without id, before and after: the statement that approves appends them."""
    _, payload = audit_row(
        call,
        AuditAction.DRAFT_APPROVED,
        EntityType.DRAFT_ORDER,
        draft_id,
        org_id=call.org_id,
        event_id=_NOT_YET,
        draft_order_id=draft_id,
    )
    return payload


def approval_revoked(call: Call, seen: Draft, version: int) -> Act:
    """The end of the approval that `seen` has; `version` is the draft's after it."""
    return draft_act(
        call,
        AuditAction.DRAFT_APPROVAL_REVOKED,
        seen.id,
        version,
        before={**state_of(seen), **_approval_of(seen)},
        after={"status": DraftStatus.NEEDS_REVIEW},
    )


def policy_act(call: Call, before: str, after: str) -> Act:
    """A new four-eyes threshold; the empty string is off."""
    event_id, payload = audit_row(
        call,
        AuditAction.APPROVAL_POLICY_CHANGED,
        EntityType.APPROVAL_POLICY,
        call.org_id,
        org_id=call.org_id,
        # A policy has no version to derive the id from. The row is written with the change, and
        # whoever relays it twice sends this id twice.
        event_id=uuid4(),
        before={"four_eyes_above": before or None},
        after={"four_eyes_above": after or None},
    )
    return Act(event_id, payload)


def state_of(draft: Draft) -> dict[str, Any]:
    """Where a draft stands, as the `before` of an act."""
    return {"status": draft.status, "version": draft.version}


def outbox_headers(call: Call) -> dict[str, str]:
    """What the relay passes on with the row."""
    return {"traceparent": call.traceparent, "x-request-id": call.request_id}


def _approval_of(draft: Draft) -> dict[str, Any]:
    if draft.approval is None:
        return {}
    return {
        "approved_by": draft.approval.approved_by,
        "approved_at": draft.approval.approved_at.isoformat(),
        "content_version": draft.approval.content_version,
        "content_sha256": draft.approval.content_sha256.hex(),
    }
