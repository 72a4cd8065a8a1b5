"""Reads a content that a draft has or once had."""

from uuid import UUID

from countersign_approval.draft import KeptContent
from countersign_approval.ports import Contents
from countersign_approval.refusals import draft_not_found
from countersign_platform.rpc.call import Call


class GetContent:
    """One content of a draft of the caller's org."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents

    async def __call__(self, call: Call, draft_id: UUID, version: int) -> KeptContent:
        """The content.

        Raises:
            NotFound: DRAFT_NOT_FOUND; no such draft, or it got no content at that version.
        """
        content = await self._contents.read(call.org_id, draft_id, version)
        if content is None:
            raise draft_not_found()
        return content
