"""Orders as they come: from a file of real ones if there is one, else made up."""

import random
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

from countersign_cli.intake.csv_orders import read_orders
from countersign_cli.intake.mapping import load_mapping

# Long orders make the same journey, slower.
_MOST_LINES = 8
_MAPPING = "online_retail"
_ARTICLES = (
    ("22423", "REGENCY CAKESTAND 3 TIER", "12.75"),
    ("85123A", "WHITE HANGING HEART T-LIGHT HOLDER", "2.95"),
    ("POST", "Porto, Verpackung & Übergröße", "18"),
    ("47566", 'PARTY BUNTING "ÆØÅ"', "4.65"),
    ("84879", "ASSORTED COLOUR BIRD ORNAMENT", "1.69"),
    ("23084", "RABBIT NIGHT LIGHT ☾", "0.000001"),
)


class Orders:
    """Submit bodies without end, each with an `external_ref` of its own."""

    def __init__(self, chance: random.Random, source: Path | None) -> None:
        """`source`: a CSV of the UCI "Online Retail" data set."""
        self._chance = chance
        self._real = [] if source is None else _ready_orders(source)

    @property
    def are_real(self) -> bool:
        """Whether they come from a file."""
        return bool(self._real)

    def next(self) -> dict[str, Any]:
        """A body that comes out READY."""
        body = self._chance.choice(self._real) if self._real else self._made_up()
        return body | {"external_ref": f"{body['external_ref']}-{uuid4().hex}"}

    def _made_up(self) -> dict[str, Any]:
        number = f"PO-{self._chance.randint(1, 99_999)}"
        lines = [self._line(n + 1) for n in range(self._chance.randint(1, 4))]
        return {
            "external_ref": number,
            "customer": {"erp_customer_number": "12923", "name": "Spaceboy Gifts Ltd"},
            "header": {
                "external_order_number": number,
                "order_date": "2026-11-02",
                "currency": "GBP",
            },
            "lines": lines,
        }

    def _line(self, line_no: int) -> dict[str, Any]:
        sku, description, price = self._chance.choice(_ARTICLES)
        return {
            "line_no": line_no,
            "internal_sku": sku,
            "description": description,
            "qty": str(self._chance.randint(1, 144)),
            "uom": "ST",
            "unit_price": price,
        }


def _ready_orders(source: Path) -> list[dict[str, Any]]:
    orders = read_orders(source, load_mapping(_MAPPING))
    return [_without_gaps(order) for order in orders if _is_ready(order)]


def _is_ready(order: dict[str, Any]) -> bool:
    lines = order["lines"]
    return (
        bool(order["customer"].get("erp_customer_number"))
        and len(lines) <= _MOST_LINES
        and all(line["internal_sku"] and Decimal(line["qty"] or 0) > 0 for line in lines)
    )


def _without_gaps(order: dict[str, Any]) -> dict[str, Any]:
    """The same order without empty fields, as either API takes it."""

    def full(fields: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in fields.items() if value is not None}

    return {
        "external_ref": order["external_ref"],
        "customer": full(order["customer"]),
        "header": full(order["header"]),
        "lines": [full(line) for line in order["lines"]],
    }
