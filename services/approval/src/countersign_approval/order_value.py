"""What an order is worth: exact decimals, whatever the number of digits."""

from collections.abc import Iterable
from decimal import Context, Decimal, Inexact
from typing import Any

# Twelve digits before and six after the point, twice, over 100,000 lines: 29 + 12 digits. The
# trap turns a result that would have to be rounded into an error.
_EXACT = Context(prec=60, traps=[Inexact])


def total_value(lines: Iterable[dict[str, Any]]) -> Decimal:
    """Sum of qty times unit_price over the lines that have both; exact."""
    total = Decimal(0)
    for line in lines:
        if line["qty"] and line["unit_price"]:
            value = _EXACT.multiply(Decimal(line["qty"]), Decimal(line["unit_price"]))
            total = _EXACT.add(total, value)
    return total


def decimal_text(value: Decimal) -> str:
    """Plain digits, never an exponent; keeps trailing zeros."""
    return format(value, "f")
