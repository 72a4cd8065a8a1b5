"""The worker: `celery -A tasks worker`."""

import json
import os
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from celery import Celery
from celery.signals import worker_process_init
from database import SessionLocal, engine
from models import AuditLog, Draft, ErpConnection, ErpExport
from settings import settings
from sqlalchemy import select
from sqlalchemy.orm import selectinload

celery = Celery("peer", broker=settings().broker_url)
celery.conf.update(
    # Nobody asks for results: without them there is nothing to store.
    task_ignore_result=True,
    # A worker that dies gives its task back; the task looks before it writes.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    # Many short tasks: "a good place to start" is 50 to 150.
    worker_prefetch_multiplier=64,
    # As many as there are threads that publish.
    broker_pool_limit=40,
    broker_connection_retry_on_startup=True,
)


@worker_process_init.connect
def _own_connections(**_: Any) -> None:
    # A forked process must not use its parent's connections.
    engine.dispose(close=False)


@celery.task(autoretry_for=(OSError,), retry_backoff=True, max_retries=10)
def deliver_export(export_id: str) -> None:
    """PENDING → SENT: the file under its final name, then the record."""
    with SessionLocal() as session:
        export = session.scalar(
            select(ErpExport).where(ErpExport.id == UUID(export_id)).with_for_update()
        )
        if export is None or export.status != "PENDING":
            return
        draft = session.scalars(
            select(Draft).where(Draft.id == export.draft_id).options(selectinload(Draft.lines))
        ).one()
        connection = session.get_one(ErpConnection, export.connection_id)
        export.file_name = file_name(draft, export)
        write(Path(connection.export_path), export.file_name, document(draft, export))
        export.status = "SENT"
        export.sent_at = datetime.now(UTC)
        draft.status = "PUSHED"
        session.add(
            AuditLog(
                org_id=export.org_id,
                action="DRAFT_PUSH_SUCCEEDED",
                entity_id=draft.id,
                before={"status": "PUSHING"},
                after={"status": "PUSHED", "erp_export_id": str(export.id)},
            )
        )
        session.commit()


def file_name(draft: Draft, export: ErpExport) -> str:
    """Derived from the export, so that a second run writes the same file."""
    return f"sales_order_{draft.id}_{export.created_at:%Y%m%dT%H%M%SZ}_{str(export.id)[:8]}.json"


def document(draft: Draft, export: ErpExport) -> bytes:
    """The order as the ERP takes it."""
    content = {
        "export_version": "orderflow_export_json_v1",
        "draft_order_id": str(draft.id),
        "approved_at": draft.approved_at.isoformat() if draft.approved_at else None,
        "customer": {
            "erp_customer_number": draft.erp_customer_number,
            "name": draft.customer_name,
        },
        "header": {
            "external_order_number": draft.external_order_number,
            "order_date": draft.order_date,
            "currency": draft.currency,
        },
        "lines": [
            {
                "line_no": line.line_no,
                "internal_sku": line.internal_sku,
                "qty": _text(line.qty),
                "uom": line.uom,
                "unit_price": _text(line.unit_price),
                "currency": draft.currency,
                "description": line.description,
            }
            for line in draft.lines
        ],
        "meta": {"created_by": export.created_by, "export_id": str(export.id)},
    }
    return json.dumps(content).encode()


def write(folder: Path, name: str, data: bytes) -> None:
    """Whole or not at all: a temporary file, fsync, rename."""
    temporary = folder / f".{name}.tmp"
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(folder / name)


def _text(value: Decimal) -> str:
    return format(value.normalize(), "f")
