"""The tables, as the ORM maps them."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import DateTime, ForeignKey, Index, Numeric, String, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    """Declares the schema."""

    type_annotation_map = {  # noqa: RUF012 — SQLAlchemy's own convention
        datetime: DateTime(timezone=True),
        Decimal: Numeric(18, 6),
        dict[str, Any]: JSONB,
    }


class Draft(Base):
    """A draft order."""

    __tablename__ = "draft_orders"
    __table_args__ = (Index("ix_draft_orders_org_status", "org_id", "status"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    org_id: Mapped[UUID]
    status: Mapped[str] = mapped_column(String(20))
    version: Mapped[int] = mapped_column(default=1)
    erp_customer_number: Mapped[str]
    customer_name: Mapped[str]
    external_order_number: Mapped[str]
    order_date: Mapped[str]
    currency: Mapped[str] = mapped_column(String(3))
    created_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    approved_at: Mapped[datetime | None]
    approved_by: Mapped[str | None]
    lines: Mapped[list["DraftLine"]] = relationship(order_by="DraftLine.line_no")


class DraftLine(Base):
    """A line of a draft order."""

    __tablename__ = "draft_order_lines"

    draft_id: Mapped[UUID] = mapped_column(ForeignKey("draft_orders.id"), primary_key=True)
    line_no: Mapped[int] = mapped_column(primary_key=True)
    internal_sku: Mapped[str]
    qty: Mapped[Decimal]
    uom: Mapped[str]
    unit_price: Mapped[Decimal]
    description: Mapped[str]


class ErpConnection(Base):
    """Where an org's exports go."""

    __tablename__ = "erp_connections"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    org_id: Mapped[UUID] = mapped_column(index=True)
    active: Mapped[bool]
    export_path: Mapped[str]


class ErpExport(Base):
    """One export of a draft; no second one while a first is under way or done."""

    __tablename__ = "erp_exports"
    __table_args__ = (
        Index(
            "uq_erp_exports_active",
            "draft_id",
            unique=True,
            postgresql_where=text("status <> 'FAILED'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    org_id: Mapped[UUID]
    draft_id: Mapped[UUID] = mapped_column(ForeignKey("draft_orders.id"))
    connection_id: Mapped[UUID] = mapped_column(ForeignKey("erp_connections.id"))
    status: Mapped[str] = mapped_column(String(20))
    created_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    sent_at: Mapped[datetime | None]
    file_name: Mapped[str | None]


class AuditLog(Base):
    """Who did what."""

    __tablename__ = "audit_log"
    __table_args__ = (Index("ix_audit_log_org_entity", "org_id", "entity_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    actor: Mapped[str | None]
    action: Mapped[str]
    entity_id: Mapped[UUID]
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]
    request_id: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
