"""One row of push.exports, and how it looks on the wire."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from countersign.push.v1 import export_pb2
from countersign_core.ids import dedup_key
from countersign_core.lifecycle import ExportStatus
from countersign_push.export_document import ExportFacts

# The columns of push.exports that an ExportRecord is made of, in its order.
EXPORT_COLUMNS = (
    "org_id",
    "id",
    "draft_id",
    "connection_id",
    "status",
    "org_slug",
    "content_version",
    "content_sha256",
    "approved_at",
    "file_name",
    "retry_of",
    "retry_reason",
    "created_at",
    "created_by",
    "request_id",
    "traceparent",
    "fence",
    "leased_by",
    "leased_until",
    "attempt",
    "next_attempt_at",
    "staged_name",
    "staged_fence",
    "document_sha256",
    "outcome_unknown_since",
    "error_json",
    "sent_at",
    "evidence",
    "acked_at",
    "erp_order_id",
    "finished_at",
    "cancel_requested_at",
    "ack_due_at",
    "archived_at",
    "document_builder",
)


@dataclass(frozen=True, slots=True)
class ExportRecord:
    """An export as stored: digests are 32 bytes, times are aware, `error_json` is an object.

    `document_builder` is the one that made the document of the last claim; None: the first one.
    """

    org_id: UUID
    id: UUID
    draft_id: UUID
    connection_id: UUID
    status: ExportStatus
    org_slug: str
    content_version: int
    content_sha256: bytes
    approved_at: datetime
    file_name: str
    retry_of: UUID | None
    retry_reason: str | None
    created_at: datetime
    created_by: str
    request_id: str
    traceparent: str | None
    fence: int
    leased_by: str | None
    leased_until: datetime | None
    attempt: int
    next_attempt_at: datetime | None
    staged_name: str | None
    staged_fence: int | None
    document_sha256: bytes | None
    outcome_unknown_since: datetime | None
    error_json: dict[str, Any] | None
    sent_at: datetime | None
    evidence: str | None
    acked_at: datetime | None
    erp_order_id: str | None
    finished_at: datetime | None
    cancel_requested_at: datetime | None
    ack_due_at: datetime | None
    archived_at: datetime | None
    document_builder: int | None

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "ExportRecord":
        """From a row that has EXPORT_COLUMNS under their own names."""
        values = {name: row[name] for name in EXPORT_COLUMNS}
        return cls(**{**values, "status": ExportStatus(values["status"])})

    def facts(self) -> ExportFacts:
        """What the export's document says beside the content."""
        return ExportFacts(
            org_slug=self.org_slug,
            draft_order_id=self.draft_id,
            approved_at=self.approved_at,
            created_by=self.created_by,
            export_id=self.id,
            retry_of=self.retry_of,
            dedup_key=dedup_key(self.org_id, self.draft_id),
            content_sha256=self.content_sha256,
        )

    def to_message(self) -> export_pb2.Export:
        """The export as people see it; leases stay inside."""
        return export_pb2.Export(
            id=str(self.id),
            draft_order_id=str(self.draft_id),
            erp_connection_id=str(self.connection_id),
            status=status_message(self.status),
            file_name=self.file_name,
            content_sha256=self.content_sha256.hex(),
            document_sha256=self.document_sha256.hex() if self.document_sha256 else "",
            attempt=self.attempt,
            next_attempt_at=timestamp(self.next_attempt_at),
            error=_error_message(self.error_json),
            retry_of=str(self.retry_of) if self.retry_of else "",
            retry_reason=self.retry_reason or "",
            created_at=timestamp(self.created_at),
            created_by_user_id=self.created_by,
            sent_at=timestamp(self.sent_at),
            evidence=evidence_message(self.evidence),
            acked_at=timestamp(self.acked_at),
            erp_order_id=self.erp_order_id or "",
            outcome_unknown_since=timestamp(self.outcome_unknown_since),
            staged=self.staged_name is not None,
            cancel_requested_at=timestamp(self.cancel_requested_at),
            ack_due_at=timestamp(self.ack_due_at),
            archived=self.archived_at is not None,
        )


def status_message(status: ExportStatus) -> "export_pb2.ExportStatus.ValueType":
    """The wire's value for a stored status."""
    return export_pb2.ExportStatus.Value(f"EXPORT_STATUS_{status}")


def evidence_message(evidence: str | None) -> "export_pb2.DeliveryEvidence.ValueType":
    """The wire's value for stored evidence; unspecified while nothing was delivered."""
    return export_pb2.DeliveryEvidence.Value(f"DELIVERY_EVIDENCE_{evidence or 'UNSPECIFIED'}")


def timestamp(moment: datetime | None) -> Timestamp | None:
    """The wire's form of a stored time; None stays unset."""
    if moment is None:
        return None
    message = Timestamp()
    message.FromDatetime(moment)
    return message


def _error_message(error: Mapping[str, Any] | None) -> export_pb2.ExportError | None:
    if error is None:
        return None
    return export_pb2.ExportError(
        code=error["code"],
        message=error["message"],
        attempt=error["attempt"],
        at=timestamp(datetime.fromisoformat(error["at"])),
    )
