"""Takes an approval back before it is pushed."""

from uuid import UUID

from countersign_approval.acts import approval_revoked, outbox_headers
from countersign_approval.draft import Draft
from countersign_approval.draft_change import DraftChange, version_after
from countersign_approval.reviser import Reviser, require
from countersign_core.lifecycle import DraftStatus
from countersign_platform.rpc.call import Call


class RevokeApproval:
    """APPROVED → NEEDS_REVIEW."""

    def __init__(self, reviser: Reviser) -> None:
        self._reviser = reviser

    async def __call__(self, call: Call, draft_id: UUID, expected_version: int | None) -> Draft:
        """The draft, back in review; it stays there until it is validated.

        Raises:
            CountersignError: DRAFT_NOT_FOUND, WRONG_STATE, VERSION_MISMATCH.
        """

        def decide(seen: Draft) -> DraftChange:
            require("revoke", seen, [DraftStatus.APPROVED], expected_version)
            return _revoked(call, seen)

        return await self._reviser.revise(call.org_id, draft_id, decide)


def _revoked(call: Call, seen: Draft) -> DraftChange:
    status = DraftStatus.NEEDS_REVIEW
    return DraftChange(
        seen=seen,
        status=status,
        acts=(approval_revoked(call, seen, version_after(seen, status)),),
        headers=outbox_headers(call),
        blocking_reasons=seen.blocking_reasons,
        issues=seen.issues,
        last_edited_by=seen.last_edited_by,
    )
