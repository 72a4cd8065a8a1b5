"""Query parameters of lists: what to show, and which page of it."""

from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from countersign.approval.v1 import approval_service_pb2 as approvals
from countersign.audit.v1 import audit_service_pb2 as audit
from countersign.push.v1 import export_pb2 as exports
from countersign.push.v1 import push_service_pb2 as pushes
from countersign_core.lifecycle import DraftStatus, ExportStatus
from countersign_gateway.audit_formats import AuditFormat
from countersign_gateway.bodies.drafts import status_number
from countersign_gateway.bodies.fields import (
    Body,
    DateText,
    Moment,
    OptionalMark,
    QueryText,
    timestamp,
)


class Page(Body):
    """Which page."""

    page_token: QueryText | None = Field(None, max_length=500)
    """next_page_token of the page before; bound to the filters."""


class DraftSort(StrEnum):
    """The order of a list of drafts; countersign.approval.v1.DraftSort says more."""

    NEWEST = "NEWEST"
    OLDEST = "OLDEST"
    LAST_CHANGED = "LAST_CHANGED"
    LONGEST_UNCHANGED = "LONGEST_UNCHANGED"
    HIGHEST_VALUE = "HIGHEST_VALUE"
    LOWEST_VALUE = "LOWEST_VALUE"
    LATEST_ORDER = "LATEST_ORDER"
    EARLIEST_ORDER = "EARLIEST_ORDER"
    CUSTOMER = "CUSTOMER"
    CUSTOMER_REVERSED = "CUSTOMER_REVERSED"


class ExportState(StrEnum):
    """How the newest export of a draft stands, as operators ask."""

    RETRYING = "RETRYING"
    STUCK = "STUCK"
    HELD = "HELD"
    UNACKED = "UNACKED"
    ACK_OVERDUE = "ACK_OVERDUE"


class DraftCriteria(Body):
    """Which drafts; criteria combine with AND."""

    customer: QueryText | None = Field(None, max_length=300)
    """Customer number (exact) or part of the customer's name, ignoring case."""
    q: QueryText | None = Field(None, max_length=300)
    """Start of external_ref or external_order_number, or part of the customer's name."""
    created_from: Moment | None = None
    """Submitted at or after."""
    created_to: Moment | None = None
    """Submitted before."""
    order_date_from: Annotated[DateText | None, OptionalMark] = None
    """Ordered on or after."""
    order_date_to: Annotated[DateText | None, OptionalMark] = None
    """Ordered on or before."""


class DraftFilters(Page, DraftCriteria):
    """Which drafts, in which order; filters combine with AND."""

    status: list[DraftStatus] = Field(default_factory=list)
    """Any of these; may repeat."""
    sort: DraftSort = DraftSort.NEWEST
    """The order; NEWEST where export_state or error_code is given."""
    export_state: ExportState | None = None
    """How the newest export stands: PENDING after a failure (RETRYING), PENDING past its due time
    by a minute (STUCK), with an unknown outcome (HELD), SENT without an answer of the ERP
    (UNACKED), or with an overdue one (ACK_OVERDUE)."""
    error_code: str | None = Field(None, pattern=r"^[A-Z][A-Z0-9_]{2,63}$")
    """Only drafts whose newest export has this last error."""
    with_export: bool = False
    """Whether each row comes with its newest export."""
    page_size: int = Field(50, ge=1, le=500)
    """Rows per page."""


class ExportFilters(Page):
    """Which exports; filters combine with AND."""

    status: list[ExportStatus] = Field(default_factory=list)
    """Any of these; may repeat."""
    draft_order_id: UUID | None = None
    """All exports of this draft."""
    stuck_for_seconds: int = Field(0, ge=0, le=2**31 - 1)
    """Only exports that are PENDING past their due time or lease by at least this."""
    held: bool = False
    """Only exports whose outcome is unknown."""
    erp_connection_id: UUID | None = None
    """Exports through this connection."""
    ack_overdue: bool = False
    """Only exports that are SENT and whose answer is overdue."""
    retrying: bool = False
    """Only PENDING exports that failed at least once."""
    error_code: str | None = Field(None, pattern=r"^[A-Z][A-Z0-9_]{2,63}$")
    """Only exports whose last error has this code."""
    created_from: Moment | None = None
    """Pushed at or after."""
    created_to: Moment | None = None
    """Pushed before."""
    page_size: int = Field(50, ge=1, le=500)
    """Rows per page."""


class AuditChoice(Body):
    """Which events; filters combine with AND."""

    action: list[QueryText] = Field(default_factory=list, max_length=50)
    """Any of these; may repeat."""
    draft_order_id: UUID | None = None
    """The draft's whole story."""
    entity_type: QueryText | None = Field(None, max_length=64)
    """With entity_id."""
    entity_id: QueryText | None = Field(None, max_length=200)
    """With entity_type."""
    actor_user_id: QueryText | None = Field(None, max_length=200)
    """The token's subject."""
    request_id: QueryText | None = Field(None, max_length=200)
    """X-Request-Id of the call."""
    occurred_from: Moment | None = None
    """At or after."""
    occurred_to: Moment | None = None
    """Before."""


class AuditFilters(AuditChoice, Page):
    """Which page of which events."""

    page_size: int = Field(50, ge=1, le=1000)
    """Rows per page."""


class AuditExportFilters(AuditChoice):
    """Which events, and how they are written."""

    format: AuditFormat = AuditFormat.JSONL
    """jsonl: everything that proves the trail. csv: for reading. cloudevents: one per line."""
    after_seq: int = Field(0, ge=0, le=2**63 - 1)
    """Only events above this seq: where an earlier download broke off."""
    up_to_seq: int = Field(0, ge=0, le=2**63 - 1)
    """Only events up to this seq; 0 means the head."""


class ChainRange(Body):
    """Which stretch of the chain."""

    from_seq: int = Field(0, ge=0, le=2**63 - 1)
    """First seq to check; 0 means the first on record."""
    to_seq: int = Field(0, ge=0, le=2**63 - 1)
    """Last seq to check; 0 means the head."""


class SealPage(Page):
    """Which checkpoints and tombstones."""

    page_size: int = Field(50, ge=1, le=1000)
    """Rows per page."""


def list_drafts_request(filters: DraftFilters) -> approvals.ListDraftsRequest:
    """The message for a page of drafts."""
    return approvals.ListDraftsRequest(
        statuses=[status_number(each) for each in filters.status],
        customer=filters.customer or "",
        q=filters.q or "",
        created_from=timestamp(filters.created_from),
        created_to=timestamp(filters.created_to),
        order_date_from=filters.order_date_from or "",
        order_date_to=filters.order_date_to or "",
        page_size=filters.page_size,
        page_token=filters.page_token or "",
        sort=approvals.DraftSort.Value(f"DRAFT_SORT_{filters.sort}"),
    )


def count_drafts_request(criteria: DraftCriteria) -> approvals.CountDraftsRequest:
    """The message for counts by status."""
    return approvals.CountDraftsRequest(
        customer=criteria.customer or "",
        q=criteria.q or "",
        created_from=timestamp(criteria.created_from),
        created_to=timestamp(criteria.created_to),
        order_date_from=criteria.order_date_from or "",
        order_date_to=criteria.order_date_to or "",
    )


def list_exports_request(filters: ExportFilters) -> pushes.ListExportsRequest:
    """The message for a page of exports."""
    return pushes.ListExportsRequest(
        statuses=[exports.ExportStatus.Value(f"EXPORT_STATUS_{each}") for each in filters.status],
        draft_order_id="" if filters.draft_order_id is None else str(filters.draft_order_id),
        stuck_for_seconds=filters.stuck_for_seconds,
        held=filters.held,
        erp_connection_id=str(filters.erp_connection_id or ""),
        ack_overdue=filters.ack_overdue,
        retrying=filters.retrying,
        error_code=filters.error_code or "",
        created_from=timestamp(filters.created_from),
        created_to=timestamp(filters.created_to),
        page_size=filters.page_size,
        page_token=filters.page_token or "",
    )


def list_events_request(filters: AuditFilters) -> audit.ListEventsRequest:
    """The message for a page of events."""
    return audit.ListEventsRequest(
        **_chosen(filters), page_size=filters.page_size, page_token=filters.page_token or ""
    )


def export_events_request(filters: AuditExportFilters) -> audit.ExportEventsRequest:
    """The message for an export."""
    return audit.ExportEventsRequest(
        **_chosen(filters), after_seq=filters.after_seq, up_to_seq=filters.up_to_seq
    )


def _chosen(filters: AuditChoice) -> dict[str, Any]:
    return {
        "actions": filters.action,
        "draft_order_id": "" if filters.draft_order_id is None else str(filters.draft_order_id),
        "entity_type": filters.entity_type or "",
        "entity_id": filters.entity_id or "",
        "actor_user_id": filters.actor_user_id or "",
        "request_id": filters.request_id or "",
        "occurred_from": timestamp(filters.occurred_from),
        "occurred_to": timestamp(filters.occurred_to),
    }
