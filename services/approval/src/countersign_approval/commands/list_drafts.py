"""Lists drafts, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass

from countersign_approval.draft import DraftSummary
from countersign_approval.draft_filters import DraftFilters, DraftPosition
from countersign_approval.ports import DraftLists
from countersign_platform.paging import decode_page_token, encode_page_token
from countersign_platform.rpc.call import Call

DEFAULT_PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class DraftPage:
    """One page; the token is empty on the last."""

    drafts: Sequence[DraftSummary]
    next_page_token: str


class ListDrafts:
    """Drafts of the caller's org, in the order that the filters name."""

    def __init__(self, lists: DraftLists) -> None:
        self._lists = lists

    async def __call__(
        self, call: Call, filters: DraftFilters, page_size: int, page_token: str
    ) -> DraftPage:
        """The page that `page_token` asks for; `page_size` 0 means DEFAULT_PAGE_SIZE.

        Raises:
            CountersignError: PAGE_TOKEN_INVALID.
        """
        size = page_size or DEFAULT_PAGE_SIZE
        bound_to = filters.for_token(call.org_id)
        parts = decode_page_token(page_token, bound_to)
        after = None if parts is None else DraftPosition.of(filters.sort, parts)
        found = await self._lists.page(call.org_id, filters, after, size + 1)
        if len(found) <= size:
            return DraftPage(found, "")
        position = DraftPosition.in_list(filters.sort, found[size - 1])
        return DraftPage(found[:size], encode_page_token(bound_to, position.parts()))
