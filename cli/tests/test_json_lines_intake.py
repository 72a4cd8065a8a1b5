"""Orders from JSON lines."""

from pathlib import Path

import pytest

from countersign_cli.intake.json_lines import read_orders
from countersign_cli.intake.mapping import MappingError


def test_numbers_keep_their_digits(tmp_path: Path) -> None:
    """1.10 must not become 1.1."""
    path = tmp_path / "orders.jsonl"
    path.write_text('{"external_ref": "1", "lines": [{"qty": 1.10}]}\n\n{"external_ref": "2"}\n')
    one, two = read_orders(path)
    assert one["lines"][0]["qty"] == "1.10"
    assert two["external_ref"] == "2"


@pytest.mark.parametrize("line", ["{", "[]", "3"])
def test_a_line_that_is_no_order_is_named(tmp_path: Path, line: str) -> None:
    """With file and line."""
    path = tmp_path / "orders.jsonl"
    path.write_text(f'{{"external_ref": "1"}}\n{line}\n')
    with pytest.raises(MappingError, match="line 2"):
        read_orders(path)
