"""What a list of drafts is filtered by, and where its next page begins."""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Self
from uuid import UUID

from countersign_core.lifecycle import DraftStatus
from countersign_platform.paging import page_token_invalid


@dataclass(frozen=True, slots=True)
class DraftFilters:
    """Combined with AND; what is None or empty filters nothing.

    `created_from` and `order_date_*` are included, `created_to` is not.
    """

    statuses: tuple[DraftStatus, ...] = ()
    customer: str = ""
    q: str = ""
    created_from: datetime | None = None
    created_to: datetime | None = None
    order_date_from: date | None = None
    order_date_to: date | None = None

    def for_token(self, org_id: UUID) -> dict[str, Any]:
        """All that chooses the rows, as canonical JSON knows it."""
        texts = {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in asdict(self).items()
        }
        return {**texts, "statuses": sorted(self.statuses), "org_id": str(org_id)}


@dataclass(frozen=True, slots=True)
class DraftPosition:
    """The sort key of a draft in a list."""

    created_at: datetime
    id: UUID

    def parts(self) -> tuple[str, str]:
        """For a page token."""
        return self.created_at.isoformat(), str(self.id)

    @classmethod
    def of(cls, parts: tuple[str, ...]) -> Self:
        """The reverse of `parts`.

        Raises:
            CountersignError: PAGE_TOKEN_INVALID.
        """
        try:
            created_at, draft_id = parts
            return cls(datetime.fromisoformat(created_at), UUID(draft_id))
        except ValueError as error:
            raise page_token_invalid() from error
