"""What the audit trail says of an export's way: acts of the system, without an actor.

They carry the request and trace ids of the push, so that one X-Request-Id finds the whole
story. Event ids are derived from the export: each of these steps is taken once.
"""

from typing import Any

from countersign_core.audit_actions import AuditAction, EntityType
from countersign_core.ids import export_event_id
from countersign_core.lifecycle import DraftStatus, ExportStatus
from countersign_platform.outbox.audit_record import audit_row
from countersign_platform.telemetry.traceparent import trace_id_of
from countersign_push.ack_step import Ack
from countersign_push.act import Act
from countersign_push.export_record import ExportRecord
from countersign_push.lease import AttemptError


def push_succeeded(export: ExportRecord, evidence: str) -> Act:
    """PUSHING → PUSHED: the file stands in the dropzone; `evidence` says how that is known."""
    before = {"status": DraftStatus.PUSHING}
    after = {
        "status": DraftStatus.PUSHED,
        "export_status": ExportStatus.SENT,
        "evidence": evidence,
        "file_name": export.file_name,
    }
    return _draft_act(export, AuditAction.DRAFT_PUSH_SUCCEEDED, before, after)


def push_failed(export: ExportRecord, error: AttemptError) -> Act:
    """PUSHING (or PUSHED, when the ERP refused the file) → ERROR."""
    was_sent = export.status is ExportStatus.SENT
    before = {"status": DraftStatus.PUSHED if was_sent else DraftStatus.PUSHING}
    after = {
        "status": DraftStatus.ERROR,
        "export_status": ExportStatus.FAILED,
        "error": {"code": error.code, "message": error.message, "attempt": export.attempt},
        "file_name": export.file_name,
    }
    return _draft_act(export, AuditAction.DRAFT_PUSH_FAILED, before, after)


def export_acked(export: ExportRecord, ack: Ack) -> Act:
    """SENT → ACKED, with the ERP's own number of the order."""
    before = {"status": ExportStatus.SENT}
    after = {
        "status": ExportStatus.ACKED,
        "erp_order_id": ack.erp_order_id or None,
        "file_name": export.file_name,
    }
    return _act(
        export,
        AuditAction.EXPORT_ACKED,
        EntityType.ERP_EXPORT,
        str(export.id),
        before=before,
        after=after,
    )


def _draft_act(
    export: ExportRecord, action: AuditAction, before: dict[str, Any], after: dict[str, Any]
) -> Act:
    named = {**after, "erp_export_id": str(export.id)}
    draft_id = str(export.draft_id)
    return _act(export, action, EntityType.DRAFT_ORDER, draft_id, before=before, after=named)


def _act(
    export: ExportRecord,
    action: AuditAction,
    entity_type: EntityType,
    entity_id: str,
    *,
    before: dict[str, Any],
    after: dict[str, Any],
) -> Act:
    event_id, payload = audit_row(
        None,
        action,
        entity_type,
        entity_id,
        org_id=export.org_id,
        event_id=export_event_id(export.org_id, export.id, action),
        draft_order_id=str(export.draft_id),
        before=before,
        after=after,
        request_id=export.request_id,
        trace_id=trace_id_of(export.traceparent) if export.traceparent else "",
    )
    return Act(event_id, payload, export_headers(export))


def export_headers(export: ExportRecord) -> dict[str, str]:
    """What an outbox row carries along of the push that the export came from."""
    headers = {"x-request-id": export.request_id}
    return {**headers, "traceparent": export.traceparent} if export.traceparent else headers
