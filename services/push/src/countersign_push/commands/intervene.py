"""Expedite and cancel: an operator's decision on a waiting export, on record."""

from collections.abc import Callable
from uuid import UUID

from countersign_core.audit_actions import AuditAction, EntityType
from countersign_core.errors import WrongState
from countersign_core.ids import derived_id
from countersign_core.lifecycle import ExportStatus
from countersign_core.reasons import Reason
from countersign_platform.outbox.audit_record import audit_row
from countersign_platform.rpc.call import Call
from countersign_push.act import Act
from countersign_push.commands.get_export import export_not_found
from countersign_push.export_acts import export_headers, push_failed
from countersign_push.export_record import ExportRecord
from countersign_push.lease import AttemptError
from countersign_push.metrics import EXPORTS
from countersign_push.ports import WakeUp
from countersign_push.store.exports import ExportStore
from countersign_push.store.interventions import InterventionStore


class ExpediteExport:
    """Has a waiting export tried now."""

    def __init__(
        self,
        exports: ExportStore,
        interventions: InterventionStore,
        *,
        wake_relay: WakeUp,
        wake_workers: Callable[[], None],
    ) -> None:
        self._exports = exports
        self._interventions = interventions
        self._wake_relay = wake_relay
        self._wake_workers = wake_workers

    async def __call__(self, call: Call, export_id: UUID, reason: str) -> ExportRecord:
        """The export after it; as it was when it is due or a worker is at it.

        Raises:
            NotFound: EXPORT_NOT_FOUND.
            WrongState: EXPORT_WRONG_STATE; it is finished.
        """
        export = await _pending(self._exports, call.org_id, export_id)
        act = _act(call, AuditAction.EXPORT_EXPEDITED, export, reason)
        done = await self._interventions.expedite(call.org_id, export_id, act)
        if done is None:
            return await _pending(self._exports, call.org_id, export_id)
        self._wake_relay()
        self._wake_workers()
        return done


class CancelExport:
    """Ends a waiting export without delivering it."""

    def __init__(
        self,
        exports: ExportStore,
        interventions: InterventionStore,
        *,
        wake_relay: WakeUp,
        wake_workers: Callable[[], None],
    ) -> None:
        self._exports = exports
        self._interventions = interventions
        self._wake_relay = wake_relay
        self._wake_workers = wake_workers

    async def __call__(self, call: Call, export_id: UUID, reason: str) -> ExportRecord:
        """FAILED, or PENDING with `cancel_requested_at`; repeating it changes nothing.

        Raises:
            NotFound: EXPORT_NOT_FOUND.
            WrongState: EXPORT_WRONG_STATE; it is finished.
        """
        found = await self._exports.get(call.org_id, export_id)
        if found is not None and _cancelled(found):
            return found
        export = await _pending(self._exports, call.org_id, export_id)
        asked = _act(call, AuditAction.EXPORT_CANCELLED, export, reason)
        ended = push_failed(export, AttemptError("CANCELLED", reason))
        done = await self._interventions.cancel(call.org_id, export_id, reason, asked, ended)
        if done is None:
            now = await self._exports.get(call.org_id, export_id) or export
            if not _cancelled(now) and now.cancel_requested_at is None:
                raise _finished(now)
            return now
        if done.status is ExportStatus.FAILED:
            EXPORTS.labels(done.status.value).inc()
        self._wake_relay()
        self._wake_workers()
        return done


async def _pending(exports: ExportStore, org_id: UUID, export_id: UUID) -> ExportRecord:
    export = await exports.get(org_id, export_id)
    if export is None:
        raise export_not_found()
    if export.status is not ExportStatus.PENDING:
        raise _finished(export)
    return export


def _cancelled(export: ExportRecord) -> bool:
    ended = export.status is ExportStatus.FAILED and export.cancel_requested_at is not None
    return ended and (export.error_json or {}).get("code") == "CANCELLED"


def _finished(export: ExportRecord) -> WrongState:
    return WrongState(
        Reason.EXPORT_WRONG_STATE,
        f"The export is finished (current: {export.status})",
        current=export.status,
        allowed=[ExportStatus.PENDING],
    )


def _act(call: Call, action: AuditAction, export: ExportRecord, reason: str) -> Act:
    due = export.next_attempt_at
    event_id, payload = audit_row(
        call,
        action,
        EntityType.ERP_EXPORT,
        str(export.id),
        org_id=call.org_id,
        # The fence grows with every claim: one such act per wait.
        event_id=derived_id(
            "export-intervention", call.org_id, export.id, action.value, export.fence
        ),
        draft_order_id=str(export.draft_id),
        before={
            "status": export.status.value,
            "attempt": export.attempt,
            "staged": export.staged_name is not None,
            "next_attempt_at": due.isoformat() if due else None,
        },
        after={"reason": reason},
    )
    return Act(event_id, payload, export_headers(export))
