"""Orders from a CSV: rows with the same external_ref are one order."""

import csv
from pathlib import Path
from typing import Any

from countersign_cli.intake.mapping import Mapping, MappingError, Rules


def read_orders(path: Path, mapping: Mapping) -> list[dict[str, Any]]:
    """Submit bodies, in the order of their first rows.

    The whole file is read first, because an order's rows need not stand together.

    Raises:
        MappingError: a column is missing, or a row does not fit; names file and line.
    """
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file, strict=True)
        if missing := mapping.columns() - set(reader.fieldnames or ()):
            raise MappingError(f"{path}: no column {min(missing)}")
        orders: dict[str, dict[str, Any]] = {}
        try:
            for row in reader:
                _add_row(orders, row, mapping)
        except (MappingError, csv.Error) as error:
            raise MappingError(f"{path}, line {reader.line_num}: {error}") from None
    return list(orders.values())


def _add_row(orders: dict[str, dict[str, Any]], row: dict[str, str], mapping: Mapping) -> None:
    if None in row or None in row.values():
        raise MappingError("the row has more or fewer cells than the header")
    external_ref = mapping.external_ref.read(row)
    if external_ref is None:
        raise MappingError("external_ref is empty")
    order = orders.get(external_ref)
    if order is None:
        order = orders[external_ref] = {
            "external_ref": external_ref,
            "customer": _read(mapping.customer, row),
            "header": _read(mapping.header, row),
            "lines": [],
        }
    lines = order["lines"]
    lines.append({"line_no": len(lines) + 1, **_read(mapping.line, row)})


def _read(rules: Rules, row: dict[str, str]) -> dict[str, str | None]:
    return {field: rule.read(row) for field, rule in rules.items()}
