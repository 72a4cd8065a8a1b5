"""Refuses a draft for good, with a reason."""

from uuid import UUID

from countersign_approval.acts import draft_act, outbox_headers, state_of
from countersign_approval.draft import Draft
from countersign_approval.draft_change import DraftChange, version_after
from countersign_approval.reviser import Reviser, require
from countersign_core.audit_actions import AuditAction
from countersign_core.errors import FieldError, InvalidRequest
from countersign_core.lifecycle import DraftStatus
from countersign_platform.rpc.call import Call

REJECTABLE = (DraftStatus.NEEDS_REVIEW, DraftStatus.READY)


class RejectDraft:
    """NEEDS_REVIEW → REJECTED; a READY draft passes through NEEDS_REVIEW."""

    def __init__(self, reviser: Reviser) -> None:
        self._reviser = reviser

    async def __call__(
        self, call: Call, draft_id: UUID, reason: str, expected_version: int | None
    ) -> Draft:
        """The rejected draft.

        Raises:
            InvalidRequest: the reason is blank.
            CountersignError: DRAFT_NOT_FOUND, WRONG_STATE, VERSION_MISMATCH.
        """
        why = reason.strip()
        if not why:
            raise InvalidRequest([FieldError("reason", "must say why")])

        def decide(seen: Draft) -> DraftChange:
            require("reject", seen, REJECTABLE, expected_version)
            return _rejected(call, seen, why)

        return await self._reviser.revise(call.org_id, draft_id, decide)


def _rejected(call: Call, seen: Draft, reason: str) -> DraftChange:
    status = DraftStatus.REJECTED
    act = draft_act(
        call,
        AuditAction.DRAFT_REJECTED,
        seen.id,
        version_after(seen, status),
        before=state_of(seen),
        after={"status": status, "reason": reason},
    )
    return DraftChange(
        seen=seen,
        status=status,
        acts=(act,),
        headers=outbox_headers(call),
        blocking_reasons=seen.blocking_reasons,
        issues=seen.issues,
        last_edited_by=seen.last_edited_by,
        rejected_by=call.identity.subject,
        reject_reason=reason,
    )
