"""Exports to try a worker on: valid documents, connections, records."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from countersign_core.canonical_json import canonical_json
from countersign_core.ids import export_file_name
from countersign_export_worker.assignment import ConnectionAccess
from countersign_export_worker.testing.work_twin import ExportRecord

ORG = UUID("0192f0c1-0000-7000-8000-0000000000aa")
DRAFT = UUID("0192f0c1-0000-7000-8000-0000000000d1")
EXPORT = UUID("0192f0c1-0000-7000-8000-0000000000e1")
CONNECTION = UUID("0192f0c1-0000-7000-8000-0000000000c1")
CONTENT_SHA256 = "ab" * 32


def document_of(export_id: UUID, **changes: Any) -> dict[str, Any]:
    """A valid export document, as a dict."""
    document: dict[str, Any] = {
        "export_version": "orderflow_export_json_v1",
        "org_slug": "acme",
        "draft_order_id": str(DRAFT),
        "approved_at": "2026-01-02T03:04:05.678901Z",
        "customer": {"id": None, "erp_customer_number": "4711", "name": "Käse & Söhne"},
        "header": {
            "external_order_number": "PO-1",
            "order_date": "2026-01-01",
            "currency": "EUR",
            "requested_delivery_date": None,
            "notes": None,
        },
        "lines": [
            {
                "line_no": 1,
                "internal_sku": "SKU-1",
                "qty": "3.000001",
                "uom": "EA",
                "unit_price": "0.10",
                "currency": "EUR",
                "customer_sku_raw": None,
                "description": None,
            }
        ],
        "meta": {
            "created_by": "user-1",
            "export_id": str(export_id),
            "retry_of": None,
            "dedup_key": "dedup-1",
            "content_sha256": CONTENT_SHA256,
            "source_document": {"document_id": None, "file_name": None, "sha256": None},
        },
    }
    return document | changes


def connection_to(
    folder: Path, connection_id: UUID = CONNECTION, **config: str
) -> ConnectionAccess:
    """An active folder connection."""
    return ConnectionAccess(
        id=connection_id,
        org_id=ORG,
        connector_type="DROPZONE_JSON_V1",
        config_json=json.dumps({"transport": "folder", "export_path": str(folder), **config}),
    )


def export_record(
    connection: ConnectionAccess, number: int = 0, *, document: bytes | None = None
) -> ExportRecord:
    """The `number`-th export, PENDING and due."""
    export_id = EXPORT if number == 0 else uuid5(EXPORT, str(number))
    created = datetime(2026, 1, 2, 3, 4, 6, tzinfo=UTC)
    return ExportRecord(
        org_id=ORG,
        id=export_id,
        draft_order_id=DRAFT,
        file_name=export_file_name(DRAFT, export_id, created),
        document=canonical_json(document_of(export_id)) if document is None else document,
        content_sha256=CONTENT_SHA256,
        connection=connection,
    )
