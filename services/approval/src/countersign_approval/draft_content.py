"""The content of a draft: from the message to the one spelling that is hashed, and back.

The document has every key, always; what is not known is null. Texts are trimmed, decimals stay
the strings that were submitted, lines stand in the order of their numbers:

    {"customer": {"id", "erp_customer_number", "name"},
     "header": {"external_order_number", "order_date", "currency", "requested_delivery_date",
                "notes", "ship_to"},
     "lines": [{"line_no": int, "internal_sku", "qty", "uom", "unit_price", "currency",
                "customer_sku_raw", "description"}],
     "source_document": {"document_id", "file_name", "sha256"}}

The caller numbers the lines; a missing or doubled number is refused, because a number given
here would make two submits of one order differ.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from countersign.approval.v1 import draft_pb2
from countersign_approval.draft import Document
from countersign_approval.plain_text import nul_errors
from countersign_core.canonical_json import canonical_json
from countersign_core.errors import FieldError, InvalidRequest

CUSTOMER_FIELDS = ("id", "erp_customer_number", "name")
HEADER_FIELDS = (
    "external_order_number",
    "order_date",
    "currency",
    "requested_delivery_date",
    "notes",
    "ship_to",
)
LINE_FIELDS = (
    "internal_sku",
    "qty",
    "uom",
    "unit_price",
    "currency",
    "customer_sku_raw",
    "description",
)
SOURCE_DOCUMENT_FIELDS = ("document_id", "file_name", "sha256")
# What a document of it must fit into on its way: messages between services have 32 MiB.
MAX_CONTENT_BYTES = 16 << 20
# For deciding who works on it; a line without a description has about as many.
_BYTES_OF_A_LINE = 200

DATE_FIELDS = ("order_date", "requested_delivery_date")


@dataclass(frozen=True, slots=True)
class CanonicalContent:
    """A document, its canonical JSON text, and the SHA-256 (32 bytes) of that text in UTF-8."""

    document: Document
    text: str
    sha256: bytes


def canonical_content(document: Document) -> CanonicalContent:
    """The document in the spelling that is stored and hashed.

    Raises:
        InvalidRequest: it is too large to be delivered.
    """
    data = canonical_json(document)
    if len(data) > MAX_CONTENT_BYTES:
        raise InvalidRequest([FieldError("content", _too_large(len(data)))])
    return CanonicalContent(document, data.decode(), hashlib.sha256(data).digest())


def read_document(text: str) -> Document:
    """The document in a stored text."""
    document: Document = json.loads(text)
    return document


def document_of(message: draft_pb2.DraftContent) -> Document:
    """The message as a document.

    Raises:
        InvalidRequest: dates that no calendar has, doubled or missing line numbers, texts with
            a NUL character; every one is listed with its path, such as `content.lines[3].qty`.
    """
    lines = [{"line_no": line.line_no, **line_values(line)} for line in message.lines]
    document = {
        "customer": _texts(message.customer, CUSTOMER_FIELDS),
        "header": _texts(message.header, HEADER_FIELDS),
        "lines": lines,
        "source_document": _texts(message.source_document, SOURCE_DOCUMENT_FIELDS),
    }
    errors = list(_errors(document))
    if errors:
        raise InvalidRequest(errors)
    return {**document, "lines": sorted(lines, key=_line_no)}


def line_values(message: draft_pb2.DraftLine) -> dict[str, str | None]:
    """A line's fields without its number."""
    return _texts(message, LINE_FIELDS)


def message_of(document: Document) -> draft_pb2.DraftContent:
    """The document as a message; null becomes the empty string."""
    return draft_pb2.DraftContent(
        customer=draft_pb2.Customer(**_known(document["customer"])),
        header=draft_pb2.DraftHeader(**_known(document["header"])),
        lines=[draft_pb2.DraftLine(**_known(line)) for line in document["lines"]],
        source_document=draft_pb2.SourceDocument(**_known(document["source_document"])),
    )


def calendar_day(text: str) -> date | None:
    """The day in YYYY-MM-DD; None when no calendar has it."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def rough_bytes(document: Document) -> int:
    """About how many bytes the document has."""
    return len(document["lines"]) * _BYTES_OF_A_LINE


def _too_large(size: int) -> str:
    return f"has {size} bytes as JSON; at most {MAX_CONTENT_BYTES} can be delivered"


def _texts(message: Any, names: Iterable[str]) -> dict[str, str | None]:
    return {name: getattr(message, name).strip() or None for name in names}


def _known(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _line_no(line: dict[str, Any]) -> int:
    number: int = line["line_no"]
    return number


def _errors(document: dict[str, Any]) -> Iterator[FieldError]:
    for part in ("customer", "header", "source_document"):
        yield from nul_errors(document[part], f"content.{part}.")
    for name in DATE_FIELDS:
        day = document["header"][name]
        if day is not None and calendar_day(day) is None:
            yield FieldError(f"content.header.{name}", "is not a day of the calendar")
    yield from _line_errors(document["lines"])


def _line_errors(lines: Sequence[dict[str, Any]]) -> Iterator[FieldError]:
    seen: set[int] = set()
    for index, line in enumerate(lines):
        path = f"content.lines[{index}]"
        number = _line_no(line)
        if number < 1:
            yield FieldError(f"{path}.line_no", "must be 1 or more")
        elif number in seen:
            yield FieldError(f"{path}.line_no", f"line {number} is in the order already")
        seen.add(number)
        yield from nul_errors(line, f"{path}.")
