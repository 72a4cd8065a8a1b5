"""What a list of drafts is filtered by, its order, and where its next page begins."""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Self
from uuid import UUID

from countersign_approval.draft import DraftSummary
from countersign_approval.draft_sort import SORT_KEYS, DraftSort
from countersign_core.lifecycle import DraftStatus
from countersign_platform.paging import page_token_invalid


@dataclass(frozen=True, slots=True)
class DraftFilters:
    """Combined with AND; what is None or empty filters nothing. `sort` is the order.

    `created_from` and `order_date_*` are included, `created_to` is not.
    """

    statuses: tuple[DraftStatus, ...] = ()
    customer: str = ""
    q: str = ""
    created_from: datetime | None = None
    created_to: datetime | None = None
    order_date_from: date | None = None
    order_date_to: date | None = None
    ids: tuple[UUID, ...] = ()
    sort: DraftSort = DraftSort.NEWEST

    def for_token(self, org_id: UUID) -> dict[str, Any]:
        """All that chooses the rows, as canonical JSON knows it."""
        texts = {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in asdict(self).items()
        }
        ids = sorted(str(each) for each in self.ids)
        return {**texts, "statuses": sorted(self.statuses), "ids": ids, "org_id": str(org_id)}


@dataclass(frozen=True, slots=True)
class DraftPosition:
    """Where a draft stands in a list: the value that the list is sorted by, and its id."""

    key: Any
    id: UUID

    @classmethod
    def in_list(cls, sort: DraftSort, draft: DraftSummary) -> Self:
        """Where `draft` stands in a list of this order."""
        return cls(SORT_KEYS[sort].of(draft), draft.id)

    def parts(self) -> tuple[str, str]:
        """For a page token."""
        return str(self.key), str(self.id)

    @classmethod
    def of(cls, sort: DraftSort, parts: tuple[str, ...]) -> Self:
        """The reverse of `parts`.

        Raises:
            CountersignError: PAGE_TOKEN_INVALID.
        """
        try:
            key, draft_id = parts
            return cls(SORT_KEYS[sort].read(key), UUID(draft_id))
        except (ValueError, ArithmeticError) as error:
            raise page_token_invalid() from error
