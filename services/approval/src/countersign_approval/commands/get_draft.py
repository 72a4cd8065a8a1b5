"""Reads one draft."""

from uuid import UUID

from countersign_approval.draft import Draft
from countersign_approval.ports import Drafts
from countersign_approval.refusals import draft_not_found
from countersign_platform.rpc.call import Call


class GetDraft:
    """One draft of the caller's org."""

    def __init__(self, drafts: Drafts) -> None:
        self._drafts = drafts

    async def __call__(self, call: Call, draft_id: UUID) -> Draft:
        """The draft.

        Raises:
            NotFound: DRAFT_NOT_FOUND.
        """
        draft = await self._drafts.read(call.org_id, draft_id)
        if draft is None:
            raise draft_not_found()
        return draft
