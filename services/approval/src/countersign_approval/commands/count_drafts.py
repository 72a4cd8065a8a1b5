"""Counts drafts by status."""

from collections.abc import Mapping
from dataclasses import dataclass

from countersign_approval.draft_filters import DraftFilters
from countersign_approval.ports import DraftLists
from countersign_core.lifecycle import DraftStatus
from countersign_platform.rpc.call import Call

# Nobody reads a larger number off a tab, and counting on would cost more the more there are.
LARGEST_COUNT = 10_000


@dataclass(frozen=True, slots=True)
class DraftCount:
    """At most LARGEST_COUNT; `more` when there are more than that."""

    count: int
    more: bool


class CountDrafts:
    """How many drafts of the caller's org have each status."""

    def __init__(self, lists: DraftLists) -> None:
        self._lists = lists

    async def __call__(self, call: Call, filters: DraftFilters) -> Mapping[DraftStatus, DraftCount]:
        """A count for every status; the filters' own statuses do not count."""
        found = await self._lists.counts(call.org_id, filters, LARGEST_COUNT + 1)
        return {
            status: DraftCount(min(count, LARGEST_COUNT), count > LARGEST_COUNT)
            for status, count in found.items()
        }
