"""What lists show and filter by, copied out of the content by the statement that stores it."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from countersign_approval.draft import Document
from countersign_approval.draft_content import calendar_day
from countersign_approval.order_value import total_value


@dataclass(frozen=True, slots=True)
class SearchFields:
    """Columns of a draft that come from its content."""

    erp_customer_number: str | None
    customer_name: str | None
    external_order_number: str | None
    order_date: date | None
    currency: str | None
    total_value: Decimal
    line_count: int


def search_fields(document: Document) -> SearchFields:
    """The columns for `document`."""
    customer, header = document["customer"], document["header"]
    order_date = header["order_date"]
    return SearchFields(
        erp_customer_number=customer["erp_customer_number"],
        customer_name=customer["name"],
        external_order_number=header["external_order_number"],
        order_date=None if order_date is None else calendar_day(order_date),
        currency=header["currency"],
        total_value=total_value(document["lines"]),
        line_count=len(document["lines"]),
    )
