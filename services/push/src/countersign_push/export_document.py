"""The document that reaches the ERP: orderflow_export_json_v1.

Pure: approved content and the export's facts in, bytes out. The same input gives the same
bytes, so a second attempt stages exactly what the first one did, and the archive keeps what was
sent. To change the bytes in any way: a new builder beside the old ones, which stay as they are,
and CURRENT_BUILDER; then countersign_core/schemas/orderflow_export_json_v1.schema.json, and a
golden test of its own.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from countersign_core.errors import CountersignError
from countersign_core.reasons import Reason

EXPORT_VERSION = "orderflow_export_json_v1"

# The builder whose documents are handed out; it is put on record with each claim.
CURRENT_BUILDER: Final = 1
_FIRST_BUILDER: Final = 1

_CUSTOMER = ("id", "erp_customer_number", "name")
_HEADER = ("external_order_number", "order_date", "currency", "requested_delivery_date", "notes")
_LINE = (
    "line_no",
    "internal_sku",
    "qty",
    "uom",
    "unit_price",
    "currency",
    "customer_sku_raw",
    "description",
)
_SOURCE_DOCUMENT = ("document_id", "file_name", "sha256")


@dataclass(frozen=True, slots=True)
class ExportFacts:
    """What the document says beside the content.

    `created_by` is the subject of the token that pushed. `export_id` is None only in a preview
    of a push that did not happen yet. `content_sha256` is the digest that was approved, 32 bytes.
    """

    org_slug: str
    draft_order_id: UUID
    approved_at: datetime
    created_by: str
    export_id: UUID | None
    retry_of: UUID | None
    dedup_key: str
    content_sha256: bytes


def build_document(
    content_text: str, facts: ExportFacts, builder: int | None = CURRENT_BUILDER
) -> bytes:
    """The document as UTF-8 JSON, keys in the schema's order, one line with a newline at its end.

    `content_text` is the canonical JSON of approval.draft_contents. Absent values become null;
    a line without a currency takes the header's. `builder` is the one on record; None: the first.

    Raises:
        CountersignError: CONTENT_DIGEST_MISMATCH; the content is not the one that was approved.
            INTERNAL: no such builder here; another version of this service has it.
    """
    _refuse_other_content(content_text, facts)
    build = _BUILDERS.get(_FIRST_BUILDER if builder is None else builder)
    if build is None:
        raise CountersignError(
            Reason.INTERNAL, f"This version has no document builder {builder}; another has"
        )
    return build(json.loads(content_text), facts)


def _build_1(content: Mapping[str, Any], facts: ExportFacts) -> bytes:
    document = _document(content, facts)
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


_BUILDERS: Final = {1: _build_1}


def _refuse_other_content(content_text: str, facts: ExportFacts) -> None:
    stored = hashlib.sha256(content_text.encode()).digest()
    if stored != facts.content_sha256:
        raise CountersignError(
            Reason.CONTENT_DIGEST_MISMATCH,
            "The stored content is not the content that was approved",
            draft_order_id=str(facts.draft_order_id),
            approved_sha256=facts.content_sha256.hex(),
            stored_sha256=stored.hex(),
        )


def _document(content: Mapping[str, Any], facts: ExportFacts) -> dict[str, Any]:
    header = _pick(content.get("header"), _HEADER)
    return {
        "export_version": EXPORT_VERSION,
        "org_slug": facts.org_slug,
        "draft_order_id": str(facts.draft_order_id),
        "approved_at": _instant(facts.approved_at),
        "customer": _pick(content.get("customer"), _CUSTOMER),
        "header": header,
        "lines": [_line(line, header["currency"]) for line in content["lines"]],
        "meta": _meta(content, facts),
    }


def _line(line: Mapping[str, Any], currency: str | None) -> dict[str, Any]:
    picked = _pick(line, _LINE)
    if picked["currency"] is None:
        picked["currency"] = currency
    return picked


def _meta(content: Mapping[str, Any], facts: ExportFacts) -> dict[str, Any]:
    return {
        "created_by": facts.created_by,
        "export_id": _text(facts.export_id),
        "retry_of": _text(facts.retry_of),
        "dedup_key": facts.dedup_key,
        "content_sha256": facts.content_sha256.hex(),
        "source_document": _pick(content.get("source_document"), _SOURCE_DOCUMENT),
    }


def _pick(source: Mapping[str, Any] | None, names: Iterable[str]) -> dict[str, Any]:
    known = source or {}
    return {name: known.get(name) for name in names}


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
