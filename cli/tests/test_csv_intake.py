"""Orders from CSV files, as dirty as they come."""

import csv
from pathlib import Path

import pytest

from countersign_cli.intake.csv_orders import read_orders
from countersign_cli.intake.mapping import MappingError, load_mapping, parse_mapping

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
RETAIL = load_mapping("online_retail")


def write(folder: Path, *rows: str) -> Path:
    path = folder / "orders.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return path


def test_rows_of_one_invoice_are_one_order_in_file_order(tmp_path: Path) -> None:
    """Rows of an order need not stand together."""
    path = write(
        tmp_path,
        "1,A,first,2,2011-10-06 16:20:00,4.15,12923.0,France",
        "2,B,other,1,2011-10-06 16:20:00,1.00,12924.0,France",
        "1,C,second,3,2011-10-06 16:20:00,0.10,12923.0,France",
    )
    one, two = read_orders(path, RETAIL)
    assert [line["internal_sku"] for line in one["lines"]] == ["A", "C"]
    assert [line["line_no"] for line in one["lines"]] == [1, 2]
    assert two["external_ref"] == "2"


def test_cells_are_trimmed_and_digits_are_kept(tmp_path: Path) -> None:
    """Stray spaces go, 4.10 stays 4.10, and the customer loses its .0."""
    path = write(tmp_path, "1,A,  CUTLERY ,2,2011-10-06 16:20:00,4.10,12923.0,United Kingdom")
    [order] = read_orders(path, RETAIL)
    [line] = order["lines"]
    assert line["description"] == "CUTLERY"
    assert line["unit_price"] == "4.10"
    assert order["customer"] == {"erp_customer_number": "12923"}
    assert order["header"]["order_date"] == "2011-10-06"
    assert order["header"]["currency"] == "GBP"


def test_an_empty_cell_is_absent(tmp_path: Path) -> None:
    """A missing customer is null, so that the ready check can say so."""
    path = write(tmp_path, "1,A,,2,2011-10-06 16:20:00,0.0,,France")
    [order] = read_orders(path, RETAIL)
    assert order["customer"] == {"erp_customer_number": None}
    assert order["lines"][0]["description"] is None


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1,A,x,2,yesterday,1,1.0,France", "line 2: column InvoiceDate"),
        ("1,A,x,2", "more or fewer cells"),
        ("1,A,x,2,2011-10-06 16:20:00,1,1.0,France,more", "more or fewer cells"),
        (" ,A,x,2,2011-10-06 16:20:00,1,1.0,France", "external_ref is empty"),
    ],
)
def test_a_row_that_does_not_fit_is_named(tmp_path: Path, row: str, message: str) -> None:
    """Bad input gets a clear error, with the line."""
    with pytest.raises(MappingError, match=message):
        read_orders(write(tmp_path, row), RETAIL)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    """Better before the first order than in the middle."""
    path = tmp_path / "orders.csv"
    path.write_text("InvoiceNo,Quantity\n1,2\n")
    with pytest.raises(MappingError, match="no column Country"):
        read_orders(path, RETAIL)


def test_quoted_cells_may_hold_commas_and_newlines(tmp_path: Path) -> None:
    """CSV as other programs write it."""
    path = tmp_path / "orders.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER.split(","))
        writer.writerow(["1", "A", "red,\nblue", "2", "2011-10-06 16:20:00", "1", "1.0", "France"])
    [order] = read_orders(path, RETAIL)
    assert order["lines"][0]["description"] == "red,\nblue"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[order", "not TOML"),
        ("[line]\nqty = 'Q'", "needs external_ref"),
        ("[order]\nexternal_ref = 'I'\n[lines]\nqty = 'Q'", r"unknown table \[lines\]"),
        ("[order]\nexternal_ref = 'I'\n[line]\nprice = 'Q'", r"\[line\] has no field price"),
        ("[order]\nexternal_ref = {}", "either column or value"),
        ("[order]\nexternal_ref = {column='a', colour='b'}", "no option colour"),
        ("[order]\nexternal_ref = 3", "a column name, or a table of strings"),
    ],
)
def test_a_malformed_mapping_says_what_is_wrong(text: str, message: str) -> None:
    """A typo in a mapping must not load half an order."""
    with pytest.raises(MappingError, match=message):
        parse_mapping(text)


def test_a_mapping_that_is_not_there_is_named() -> None:
    """By name or by path."""
    with pytest.raises(MappingError, match="no mapping nowhere"):
        load_mapping("nowhere")
