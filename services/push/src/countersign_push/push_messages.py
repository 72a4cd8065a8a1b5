"""What goes on record and on the way with each push: the audit event and the work message."""

from uuid import UUID, uuid4

from countersign.push.v1 import events_pb2
from countersign_core.audit_actions import EntityType
from countersign_core.ids import derived_id, export_event_id
from countersign_core.lifecycle import DraftStatus
from countersign_platform.outbox.audit_record import audit_row
from countersign_platform.rpc.call import Call
from countersign_push.idempotency import fingerprint
from countersign_push.push_intent import Operation, PushIntent
from countersign_push.store.push import PushItem


def push_item(
    call: Call, operation: Operation, intent: PushIntent, *, announce: bool = True
) -> PushItem:
    """`intent` with a fresh export id and the messages that name it.

    The id is random: file names carry its first eight digits, which a time-ordered id would
    share with every other export of the same minute. `announce`: workers are told by a message.
    """
    export_id = uuid4()
    act_id, act = _act(call, operation, intent, str(export_id))
    work_id, work = work_message(call.org_id, export_id) if announce else (None, b"")
    return PushItem(
        intent=intent,
        export_id=export_id,
        request_sha256=fingerprint(operation, intent),
        work_id=work_id,
        work=work,
        act_id=act_id,
        act=act,
    )


def work_message(org_id: UUID, export_id: UUID) -> tuple[UUID, bytes]:
    """Id and bytes of the first message that tells workers about an export."""
    org, export = str(org_id), str(export_id)
    message = events_pb2.ExportRequested(org_id=org, export_id=export)
    return derived_id("export-requested", org, export), message.SerializeToString()


def _act(
    call: Call, operation: Operation, intent: PushIntent, export_id: str
) -> tuple[UUID, bytes]:
    draft_id = str(intent.draft_id)
    after = {"status": DraftStatus.PUSHING.value, "erp_export_id": export_id}
    if operation is Operation.RETRY:
        after["reason"] = intent.reason
    return audit_row(
        call,
        operation.audit_action,
        EntityType.DRAFT_ORDER,
        draft_id,
        org_id=call.org_id,
        event_id=export_event_id(call.org_id, export_id, operation.audit_action),
        draft_order_id=draft_id,
        before={"status": operation.source.value},
        after=after,
    )
