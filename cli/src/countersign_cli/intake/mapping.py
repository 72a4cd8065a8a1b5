"""How the columns of a CSV become an order.

A mapping is a TOML file with the tables [order], [customer], [header] and [line]. Each key is
a field of the submit request; its value is a column name, or a table:

    qty = "Quantity"                                   the column, trimmed
    currency = { value = "GBP" }                       the same for every row
    erp_customer_number = { column = "CustomerID", strip_suffix = ".0" }
    order_date = { column = "InvoiceDate", date_format = "%Y-%m-%d %H:%M:%S" }

[order] needs external_ref: rows with the same value are one order, in file order.
"""

import tomllib
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from pathlib import Path

CUSTOMER_FIELDS = frozenset({"id", "erp_customer_number", "name"})
HEADER_FIELDS = frozenset(
    {
        "external_order_number",
        "order_date",
        "currency",
        "requested_delivery_date",
        "notes",
        "ship_to",
    }
)
LINE_FIELDS = frozenset(
    {"internal_sku", "qty", "uom", "unit_price", "currency", "customer_sku_raw", "description"}
)
TABLES = {
    "order": frozenset({"external_ref"}),
    "customer": CUSTOMER_FIELDS,
    "header": HEADER_FIELDS,
    "line": LINE_FIELDS,
}
RULE_KEYS = frozenset({"column", "value", "strip_suffix", "date_format"})


class MappingError(Exception):
    """The mapping or the file does not fit; the message says where."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Where one field comes from."""

    column: str | None = None
    value: str | None = None
    strip_suffix: str = ""
    date_format: str | None = None

    def read(self, row: dict[str, str]) -> str | None:
        """The field's value for a row; None when the cell is empty."""
        if self.column is None:
            return self.value
        text = row[self.column].strip().removesuffix(self.strip_suffix)
        if not text:
            return None
        if self.date_format is None:
            return text
        try:
            return datetime.strptime(text, self.date_format).date().isoformat()  # noqa: DTZ007 — a day has no zone
        except ValueError as error:
            raise MappingError(f"column {self.column}: {error}") from None


Rules = dict[str, Rule]


@dataclass(frozen=True, slots=True)
class Mapping:
    """The rules of one kind of file."""

    external_ref: Rule
    customer: Rules
    header: Rules
    line: Rules

    def columns(self) -> set[str]:
        """Every column that the mapping reads."""
        rules = [self.external_ref, *self.customer.values(), *self.header.values()]
        return {rule.column for rule in [*rules, *self.line.values()] if rule.column}


def load_mapping(name_or_path: str) -> Mapping:
    """A mapping by path, or one that ships with the command by name.

    Raises:
        MappingError: there is none, or it is malformed.
    """
    path = Path(name_or_path)
    try:
        if path.suffix == ".toml":
            return parse_mapping(path.read_text())
        shipped = resources.files("countersign_cli") / "mappings" / f"{name_or_path}.toml"
        return parse_mapping(shipped.read_text())
    except FileNotFoundError:
        raise MappingError(f"no mapping {name_or_path}") from None


def parse_mapping(text: str) -> Mapping:
    """A mapping from TOML."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MappingError(f"not TOML: {error}") from None
    if unknown := set(document) - set(TABLES):
        raise MappingError(f"unknown table [{min(unknown)}]")
    rules = {table: _rules(table, document.get(table, {})) for table in TABLES}
    if "external_ref" not in rules["order"]:
        raise MappingError("[order] needs external_ref")
    return Mapping(
        external_ref=rules["order"]["external_ref"],
        customer=rules["customer"],
        header=rules["header"],
        line=rules["line"],
    )


def _rules(table: str, entries: dict[str, object]) -> Rules:
    if unknown := set(entries) - TABLES[table]:
        raise MappingError(f"[{table}] has no field {min(unknown)}")
    return {field: _rule(f"[{table}] {field}", entry) for field, entry in entries.items()}


def _rule(where: str, entry: object) -> Rule:
    if isinstance(entry, str):
        return Rule(column=entry)
    if not isinstance(entry, dict) or not all(isinstance(value, str) for value in entry.values()):
        raise MappingError(f"{where}: a column name, or a table of strings")
    if unknown := set(entry) - RULE_KEYS:
        raise MappingError(f"{where}: no option {min(unknown)}")
    if ("column" in entry) == ("value" in entry):
        raise MappingError(f"{where}: either column or value")
    return Rule(**entry)
