"""Exports as operators see them."""

from enum import StrEnum

from pydantic import with_config
from typing_extensions import TypedDict

from countersign.push.v1 import export_pb2 as exports
from countersign.push.v1 import push_service_pb2 as service
from countersign_core.lifecycle import ExportStatus
from countersign_gateway.replies.values import DOCUMENTED, moment, named, text


class DeliveryEvidence(StrEnum):
    """How it is known that the file was delivered."""

    RENAMED = "RENAMED"
    FOUND = "FOUND"
    ACKED = "ACKED"
    INFERRED = "INFERRED"
    ACCEPTED = "ACCEPTED"
    RESOLVED = "RESOLVED"


STATUSES = named(exports.ExportStatus, ExportStatus)
_EVIDENCE = named(exports.DeliveryEvidence, DeliveryEvidence)


@with_config(DOCUMENTED)
class ExportErrorReply(TypedDict):
    """What went wrong at an attempt."""

    code: str
    """Machine-readable kind, for example DISK_FULL."""
    message: str | None
    attempt: int
    at: str | None


@with_config(DOCUMENTED)
class ExportReply(TypedDict):
    """One attempt to bring an approved draft into the ERP."""

    id: str
    draft_order_id: str
    erp_connection_id: str | None
    status: ExportStatus
    file_name: str | None
    """Name of the file in the dropzone."""
    content_sha256: str | None
    """Digest of the approved content."""
    document_sha256: str | None
    """Digest of the document's bytes; null until it was staged."""
    attempt: int
    """Delivery attempts that were begun."""
    next_attempt_at: str | None
    """When a worker may try next; null once it is finished."""
    staged: bool
    """Whether the file is staged, waiting for its rename."""
    error: ExportErrorReply | None
    """The last error, if any attempt failed."""
    retry_of: str | None
    """The export that this one follows."""
    retry_reason: str | None
    created_at: str | None
    created_by_user_id: str | None
    sent_at: str | None
    evidence: DeliveryEvidence | None
    """How it is known that the file was delivered; null before."""
    acked_at: str | None
    erp_order_id: str | None
    """The ERP's own number of the order."""
    outcome_unknown_since: str | None
    """Set while nobody knows whether the ERP has the file: it is held and tried again."""
    cancel_requested_at: str | None
    """When an operator asked to take it back."""
    ack_due_at: str | None
    """When the ERP's answer is or was due; null where the connection has no term for it."""
    archived: bool
    """Whether the exact bytes are in the archive."""


@with_config(DOCUMENTED)
class ExportPageReply(TypedDict):
    """One page, newest first."""

    exports: list[ExportReply]
    next_page_token: str | None
    """Null on the last page."""


def export_reply(export: exports.Export) -> ExportReply:
    """One export."""
    return {
        "id": export.id,
        "draft_order_id": export.draft_order_id,
        "erp_connection_id": text(export.erp_connection_id),
        "status": STATUSES[export.status],
        "file_name": text(export.file_name),
        "content_sha256": text(export.content_sha256),
        "document_sha256": text(export.document_sha256),
        "attempt": export.attempt,
        "next_attempt_at": moment(export.next_attempt_at),
        "staged": export.staged,
        "error": _error(export.error) if export.HasField("error") else None,
        "retry_of": text(export.retry_of),
        "retry_reason": text(export.retry_reason),
        "created_at": moment(export.created_at),
        "created_by_user_id": text(export.created_by_user_id),
        "sent_at": moment(export.sent_at),
        "evidence": _EVIDENCE.get(export.evidence),
        "acked_at": moment(export.acked_at),
        "erp_order_id": text(export.erp_order_id),
        "outcome_unknown_since": moment(export.outcome_unknown_since),
        "cancel_requested_at": moment(export.cancel_requested_at),
        "ack_due_at": moment(export.ack_due_at),
        "archived": export.archived,
    }


def page_reply(page: service.ListExportsResponse) -> ExportPageReply:
    """One page of exports."""
    return {
        "exports": [export_reply(row) for row in page.exports],
        "next_page_token": text(page.next_page_token),
    }


def _error(error: exports.ExportError) -> ExportErrorReply:
    return {
        "code": error.code,
        "message": text(error.message),
        "attempt": error.attempt,
        "at": moment(error.at),
    }
