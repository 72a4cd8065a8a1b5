"""Orders from JSON lines: one submit body per line."""

import json
from pathlib import Path
from typing import Any

from countersign_cli.intake.mapping import MappingError


def read_orders(path: Path) -> list[dict[str, Any]]:
    """Submit bodies; decimals keep the digits that stand in the file.

    Raises:
        MappingError: a line is not a JSON object; names file and line.
    """
    orders = []
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                order = json.loads(line, parse_float=str)
            except ValueError as error:
                raise MappingError(f"{path}, line {number}: {error}") from None
            if not isinstance(order, dict):
                raise MappingError(f"{path}, line {number}: not a JSON object")
            orders.append(order)
    return orders
