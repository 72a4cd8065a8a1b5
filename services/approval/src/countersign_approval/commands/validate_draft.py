"""Runs the ready check by hand and moves the draft to what it finds."""

from uuid import UUID

from countersign_approval.acts import draft_act, outbox_headers, state_of
from countersign_approval.draft import Draft
from countersign_approval.draft_change import DraftChange, version_after
from countersign_approval.ready_check import blocking_reasons, status_after_check
from countersign_approval.reviser import Reviser, require
from countersign_core.audit_actions import AuditAction
from countersign_core.lifecycle import DraftStatus
from countersign_platform.rpc.call import Call

VALIDATABLE = (
    DraftStatus.NEW,
    DraftStatus.EXTRACTED,
    DraftStatus.NEEDS_REVIEW,
    DraftStatus.READY,
)


class ValidateDraft:
    """The ready check. It changes no content, so whoever asks for it is no editor."""

    def __init__(self, reviser: Reviser) -> None:
        self._reviser = reviser

    async def __call__(self, call: Call, draft_id: UUID) -> Draft:
        """The draft after the check; nothing is written or recorded when nothing changes.

        Raises:
            CountersignError: DRAFT_NOT_FOUND, WRONG_STATE.
        """

        def decide(seen: Draft) -> DraftChange | None:
            require("validate", seen, VALIDATABLE, None)
            return _checked(call, seen)

        return await self._reviser.revise(call.org_id, draft_id, decide)


def _checked(call: Call, seen: Draft) -> DraftChange | None:
    reasons = blocking_reasons(seen.document, seen.issues)
    status = status_after_check(reasons)
    if status is seen.status and reasons == seen.blocking_reasons:
        return None
    act = draft_act(
        call,
        AuditAction.DRAFT_EDITED,
        seen.id,
        version_after(seen, status),
        before=state_of(seen),
        after={
            "status": status,
            "validated": True,
            "blocking_reasons": sorted({reason.code for reason in reasons}),
        },
    )
    return DraftChange(
        seen=seen,
        status=status,
        acts=(act,),
        headers=outbox_headers(call),
        blocking_reasons=reasons,
        issues=seen.issues,
        last_edited_by=seen.last_edited_by,
    )
