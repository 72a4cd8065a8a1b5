"""What an approval covers: customer, header, lines, source document."""

from pydantic import with_config
from typing_extensions import TypedDict

from countersign.approval.v1 import draft_pb2 as drafts
from countersign_gateway.replies.values import DOCUMENTED, text


class CustomerReply(TypedDict):
    """Who ordered."""

    id: str | None
    erp_customer_number: str | None
    name: str | None


@with_config(DOCUMENTED)
class HeaderReply(TypedDict):
    """What is true of the whole order."""

    external_order_number: str | None
    order_date: str | None
    """YYYY-MM-DD."""
    currency: str | None
    """ISO 4217."""
    requested_delivery_date: str | None
    """YYYY-MM-DD."""
    notes: str | None
    ship_to: str | None


@with_config(DOCUMENTED)
class LineReply(TypedDict):
    """One position."""

    line_no: int
    internal_sku: str | None
    qty: str | None
    """Decimal string with every digit that was submitted."""
    uom: str | None
    unit_price: str | None
    """Decimal string with every digit that was submitted."""
    currency: str | None
    """ISO 4217; null means the header's."""
    customer_sku_raw: str | None
    description: str | None


class SourceDocumentReply(TypedDict):
    """The file that the order was read from."""

    document_id: str | None
    file_name: str | None
    sha256: str | None


def customer_reply(customer: drafts.Customer) -> CustomerReply:
    """The customer."""
    return {
        "id": text(customer.id),
        "erp_customer_number": text(customer.erp_customer_number),
        "name": text(customer.name),
    }


def header_reply(header: drafts.DraftHeader) -> HeaderReply:
    """The header."""
    return {
        "external_order_number": text(header.external_order_number),
        "order_date": text(header.order_date),
        "currency": text(header.currency),
        "requested_delivery_date": text(header.requested_delivery_date),
        "notes": text(header.notes),
        "ship_to": text(header.ship_to),
    }


def line_reply(line: drafts.DraftLine) -> LineReply:
    """One line."""
    return {
        "line_no": line.line_no,
        "internal_sku": text(line.internal_sku),
        "qty": text(line.qty),
        "uom": text(line.uom),
        "unit_price": text(line.unit_price),
        "currency": text(line.currency),
        "customer_sku_raw": text(line.customer_sku_raw),
        "description": text(line.description),
    }


def source_document_reply(document: drafts.SourceDocument) -> SourceDocumentReply:
    """The source document."""
    return {
        "document_id": text(document.document_id),
        "file_name": text(document.file_name),
        "sha256": text(document.sha256),
    }
