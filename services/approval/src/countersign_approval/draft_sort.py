"""In which order a list shows drafts, and how a page token remembers where one stands in it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from countersign_approval.draft import DraftSummary


class DraftSort(StrEnum):
    """Drafts that are equal in it follow by id."""

    NEWEST = "NEWEST"
    OLDEST = "OLDEST"
    LAST_CHANGED = "LAST_CHANGED"
    LONGEST_UNCHANGED = "LONGEST_UNCHANGED"
    HIGHEST_VALUE = "HIGHEST_VALUE"
    LOWEST_VALUE = "LOWEST_VALUE"
    LATEST_ORDER = "LATEST_ORDER"
    EARLIEST_ORDER = "EARLIEST_ORDER"
    CUSTOMER = "CUSTOMER"
    CUSTOMER_REVERSED = "CUSTOMER_REVERSED"


@dataclass(frozen=True, slots=True)
class SortKey:
    """What a sort compares: `of` a row, written as text by `str`, read back by `read`.

    `field` is the row's field and the table's column; None counts as `absent`.
    `read` raises ValueError or ArithmeticError for what is no such value.
    """

    field: str
    read: Callable[[str], Any]
    absent: Any = None
    descending: bool = False

    def of(self, draft: DraftSummary) -> Any:
        """The value that places `draft`."""
        value = getattr(draft, self.field)
        return self.absent if value is None else value


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a moment needs an offset")
    return moment


def _value(text: str) -> Decimal:
    value = Decimal(text)
    if not value.is_finite():
        raise ValueError("an order's value is finite")
    return value


def _both(field: str, read: Callable[[str], Any], absent: Any = None) -> tuple[SortKey, SortKey]:
    return SortKey(field, read, absent, descending=True), SortKey(field, read, absent)


_NEWEST, _OLDEST = _both("created_at", _moment)
_LAST_CHANGED, _LONGEST_UNCHANGED = _both("updated_at", _moment)
_HIGHEST, _LOWEST = _both("total_value", _value)
_LATEST, _EARLIEST = _both("order_date", date.fromisoformat, date.min)
_Z_TO_A, _A_TO_Z = _both("customer_name", str, "")

SORT_KEYS = {
    DraftSort.NEWEST: _NEWEST,
    DraftSort.OLDEST: _OLDEST,
    DraftSort.LAST_CHANGED: _LAST_CHANGED,
    DraftSort.LONGEST_UNCHANGED: _LONGEST_UNCHANGED,
    DraftSort.HIGHEST_VALUE: _HIGHEST,
    DraftSort.LOWEST_VALUE: _LOWEST,
    DraftSort.LATEST_ORDER: _LATEST,
    DraftSort.EARLIEST_ORDER: _EARLIEST,
    DraftSort.CUSTOMER: _A_TO_Z,
    DraftSort.CUSTOMER_REVERSED: _Z_TO_A,
}
