"""Whether a draft may be approved: the rules, and a reason for each that it breaks.

READY needs a customer number, a known currency, at least one line, for each line a positive
quantity, a unit and an internal SKU, and no open issue of severity ERROR.
"""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any

from countersign_approval.currencies import CURRENCIES
from countersign_approval.draft import BlockingReason, Document, Issue, Severity
from countersign_core.lifecycle import DraftStatus

# An operator mends a draft from the top; lists carry the reasons of up to 500 drafts.
MAX_REASONS = 100


def blocking_reasons(document: Document, issues: Iterable[Issue]) -> tuple[BlockingReason, ...]:
    """Everything that keeps the draft from READY: order first, then lines, then issues.

    After MAX_REASONS one last reason, MORE_REASONS, says that there are more.
    """
    found = tuple(islice(_findings(document, issues), MAX_REASONS + 1))
    if len(found) <= MAX_REASONS:
        return found
    more = BlockingReason("MORE_REASONS", f"Only the first {MAX_REASONS} findings are listed")
    return (*found[:MAX_REASONS], more)


def status_after_check(reasons: Sequence[BlockingReason]) -> DraftStatus:
    """READY when nothing blocks, NEEDS_REVIEW otherwise."""
    return DraftStatus.NEEDS_REVIEW if reasons else DraftStatus.READY


def _findings(document: Document, issues: Iterable[Issue]) -> Iterator[BlockingReason]:
    if not document["customer"]["erp_customer_number"]:
        yield BlockingReason("CUSTOMER_MISSING", "The customer's ERP number is missing")
    yield from _currency_findings(document["header"]["currency"])
    if not document["lines"]:
        yield BlockingReason("NO_LINES", "The order has no lines")
    for line in document["lines"]:
        yield from _line_findings(line)
    for issue in issues:
        if issue.severity is Severity.ERROR and not issue.resolved:
            message = issue.message or f"Issue {issue.code} is open"
            yield BlockingReason("OPEN_ISSUE", message, issue.line_no)


def _currency_findings(currency: str | None) -> Iterator[BlockingReason]:
    if not currency:
        yield BlockingReason("CURRENCY_MISSING", "The order's currency is missing")
    elif currency not in CURRENCIES:
        yield BlockingReason("CURRENCY_UNKNOWN", f"{currency} is not a currency of ISO 4217")


def _line_findings(line: dict[str, Any]) -> Iterator[BlockingReason]:
    number = line["line_no"]
    if not line["qty"]:
        yield BlockingReason("LINE_QTY_MISSING", f"Line {number} has no quantity", number)
    elif Decimal(line["qty"]) <= 0:
        message = f"Line {number}: the quantity must be more than zero"
        yield BlockingReason("LINE_QTY_NOT_POSITIVE", message, number)
    if not line["uom"]:
        yield BlockingReason("LINE_UOM_MISSING", f"Line {number} has no unit of measure", number)
    if not line["internal_sku"]:
        yield BlockingReason("LINE_SKU_MISSING", f"Line {number} has no internal SKU", number)
