"""Draft orders that callers bring in."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field, StrictBool, StrictInt

from countersign.approval.v1 import approval_service_pb2 as service
from countersign.approval.v1 import draft_pb2 as drafts
from countersign_core.lifecycle import DraftStatus
from countersign_gateway.bodies.fields import (
    Body,
    CurrencyText,
    DateText,
    DecimalText,
    OptionalMark,
    Sha256Text,
)
from countersign_gateway.replies.values import IssueSeverity

LineNumber = Annotated[StrictInt, Field(ge=1, le=100_000)]


class CustomerBody(Body):
    """Who ordered."""

    id: str | None = Field(None, max_length=100)
    """The customer's id in the caller's own system."""
    erp_customer_number: str | None = Field(None, max_length=100)
    """The customer's number in the ERP. READY needs it."""
    name: str | None = Field(None, max_length=300)
    """The customer's name, for people."""


class HeaderBody(Body):
    """What is true of the whole order."""

    external_order_number: str | None = Field(None, max_length=100)
    """The order's number at the customer."""
    order_date: Annotated[DateText | None, OptionalMark] = None
    """Day the customer ordered."""
    currency: Annotated[CurrencyText | None, OptionalMark] = None
    """ISO 4217 code. READY needs a known one."""
    requested_delivery_date: Annotated[DateText | None, OptionalMark] = None
    """Day the customer wants the goods."""
    notes: str | None = Field(None, max_length=4000)
    """Free text for the ERP's clerk."""
    ship_to: str | None = Field(None, max_length=1000)
    """Where the goods go, as the customer wrote it."""


class LineFields(Body):
    """One position without its number. Decimals keep every digit, whether string or number."""

    internal_sku: str | None = Field(None, max_length=100)
    """Our article number. READY needs it."""
    qty: Annotated[DecimalText | None, OptionalMark] = None
    """Quantity in `uom`. READY needs more than zero."""
    uom: str | None = Field(None, max_length=20)
    """Unit of measure, for example ST or KG. READY needs it."""
    unit_price: Annotated[DecimalText | None, OptionalMark] = None
    """Price of one unit in `currency`."""
    currency: Annotated[CurrencyText | None, OptionalMark] = None
    """ISO 4217 code of the price; null means the header's."""
    customer_sku_raw: str | None = Field(None, max_length=200)
    """The article as the customer wrote it."""
    description: str | None = Field(None, max_length=1000)
    """Description for people."""


class LineBody(LineFields):
    """One position."""

    line_no: LineNumber
    """Position, counted from 1, unique in the order."""


class SourceDocumentBody(Body):
    """The file that the order was read from."""

    document_id: str | None = Field(None, max_length=100)
    """Its id in the document store."""
    file_name: str | None = Field(None, max_length=300)
    """Its name."""
    sha256: Annotated[Sha256Text | None, OptionalMark] = None
    """SHA-256 of its bytes, 64 lower-case hex digits."""


class IssueBody(Body):
    """A remark of an earlier step."""

    id: str = Field(min_length=1, max_length=100)
    """Unique in the draft."""
    code: str = Field(min_length=1, max_length=100)
    """Machine-readable kind, for example SKU_UNMATCHED."""
    severity: IssueSeverity
    """An unresolved ERROR blocks the approval."""
    message: str | None = Field(None, max_length=1000)
    """One sentence for the operator."""
    line_no: Annotated[StrictInt, Field(ge=0, le=2**31 - 1)] | None = None
    """The line it is about; null for the whole order."""
    resolved: StrictBool = False
    """Whether it is settled."""


class SubmitBody(Body):
    """A new draft order."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "external_ref": "mail-551",
                    "customer": {"erp_customer_number": "16771", "name": "Doorstop & Sons"},
                    "header": {"external_order_number": "4500012", "currency": "EUR"},
                    "lines": [
                        {
                            "line_no": 1,
                            "internal_sku": "23033",
                            "qty": "24",
                            "uom": "ST",
                            "unit_price": "1.45",
                        }
                    ],
                }
            ]
        }
    )

    external_ref: str = Field(min_length=1, max_length=200)
    """Your own id of the order; submitting it again answers the first draft."""
    customer: CustomerBody | None = None
    header: HeaderBody | None = None
    lines: list[LineBody] = Field(default_factory=list, max_length=100_000)
    source_document: SourceDocumentBody | None = None
    issues: list[IssueBody] = Field(default_factory=list, max_length=1000)
    """Remarks of earlier steps."""


def submit_request(body: SubmitBody) -> service.SubmitDraftRequest:
    """The message for a submit."""
    content = drafts.DraftContent(
        customer=customer(body.customer),
        header=header(body.header),
        lines=[line(each) for each in body.lines],
        source_document=source_document(body.source_document),
    )
    return service.SubmitDraftRequest(
        external_ref=body.external_ref,
        content=content,
        issues=[_issue(each) for each in body.issues],
    )


def status_number(status: DraftStatus) -> drafts.DraftStatus.ValueType:
    """The status as the contract numbers it."""
    return drafts.DraftStatus.Value(f"DRAFT_STATUS_{status.value}")


def customer(body: CustomerBody | None) -> drafts.Customer:
    """The customer; of None, an empty one."""
    return drafts.Customer(**_given(body))


def header(body: HeaderBody | None) -> drafts.DraftHeader:
    """The header; of None, an empty one."""
    return drafts.DraftHeader(**_given(body))


def line(body: LineFields) -> drafts.DraftLine:
    """One line."""
    return drafts.DraftLine(**_given(body))


def source_document(body: SourceDocumentBody | None) -> drafts.SourceDocument:
    """The source document; of None, an empty one."""
    return drafts.SourceDocument(**_given(body))


def _issue(body: IssueBody) -> drafts.Issue:
    severity = drafts.IssueSeverity.Value(f"ISSUE_SEVERITY_{body.severity.value}")
    return drafts.Issue(
        id=body.id,
        code=body.code,
        severity=severity,
        message=body.message or "",
        line_no=body.line_no or 0,
        resolved=body.resolved,
    )


def _given(body: Body | None) -> dict[str, Any]:
    """Members that have a value; names in bodies and messages are the same."""
    if body is None:
        return {}
    return {name: value for name, value in body if value is not None}
