"""Settling a held export by hand, on record."""

from uuid import UUID

from countersign_core.audit_actions import AuditAction, EntityType
from countersign_core.errors import WrongState
from countersign_core.ids import export_event_id
from countersign_core.lifecycle import DraftStatus, ExportStatus
from countersign_core.reasons import Reason
from countersign_platform.outbox.audit_record import audit_row
from countersign_platform.rpc.call import Call
from countersign_push.act import Act
from countersign_push.commands.get_export import export_not_found
from countersign_push.export_acts import export_headers
from countersign_push.export_record import ExportRecord
from countersign_push.metrics import EXPORTS
from countersign_push.ports import WakeUp
from countersign_push.store.exports import ExportStore
from countersign_push.store.resolutions import ResolutionStore


class ResolveExport:
    """Delivered: PENDING → SENT, draft PUSHED. Not delivered: PENDING → FAILED, draft ERROR.

    One act, one event: EXPORT_RESOLVED stands for the export's and the draft's step, so no
    DRAFT_PUSH_SUCCEEDED or DRAFT_PUSH_FAILED is written beside it.
    """

    def __init__(self, exports: ExportStore, resolutions: ResolutionStore, wake: WakeUp) -> None:
        self._exports = exports
        self._resolutions = resolutions
        self._wake = wake

    async def __call__(
        self, call: Call, export_id: UUID, *, delivered: bool, reason: str
    ) -> ExportRecord:
        """The export after it.

        Raises:
            NotFound: EXPORT_NOT_FOUND.
            WrongState: EXPORT_WRONG_STATE; its outcome is known, or, to settle it as not
                delivered, a worker is trying it right now.
        """
        export = await self._exports.get(call.org_id, export_id)
        if export is None:
            raise export_not_found()
        if export.outcome_unknown_since is None:
            raise _not_held(export)
        act = _act(call, export, delivered=delivered, reason=reason)
        settled = await self._resolutions.resolve(
            call.org_id, export_id, delivered=delivered, reason=reason, act=act
        )
        if settled is None:
            now = await self._exports.get(call.org_id, export_id) or export
            raise _not_held(now) if now.outcome_unknown_since is None else _under_way(now)
        self._wake()
        EXPORTS.labels(settled.status.value).inc()
        return settled


def _under_way(export: ExportRecord) -> WrongState:
    return WrongState(
        Reason.EXPORT_WRONG_STATE,
        "A worker is trying this export right now; settle it once its lease is over",
        current=export.status.value,
        allowed=[ExportStatus.PENDING.value],
    )


def _act(call: Call, export: ExportRecord, *, delivered: bool, reason: str) -> Act:
    event_id, payload = audit_row(
        call,
        AuditAction.EXPORT_RESOLVED,
        EntityType.ERP_EXPORT,
        str(export.id),
        org_id=call.org_id,
        event_id=export_event_id(call.org_id, export.id, AuditAction.EXPORT_RESOLVED),
        draft_order_id=str(export.draft_id),
        before=_before(export),
        after=_after(reason, delivered=delivered),
    )
    return Act(event_id, payload, export_headers(export))


def _before(export: ExportRecord) -> dict[str, str | None]:
    held_since = export.outcome_unknown_since
    return {
        "status": ExportStatus.PENDING.value,
        "draft_status": DraftStatus.PUSHING.value,
        "outcome_unknown_since": held_since.isoformat() if held_since else None,
    }


def _after(reason: str, *, delivered: bool) -> dict[str, str]:
    status = ExportStatus.SENT if delivered else ExportStatus.FAILED
    draft_status = DraftStatus.PUSHED if delivered else DraftStatus.ERROR
    return {"status": status.value, "draft_status": draft_status.value, "reason": reason}


def _not_held(export: ExportRecord) -> WrongState:
    return WrongState(
        Reason.EXPORT_WRONG_STATE,
        f"Export must be held to resolve (current: {export.status}, not held)",
        current=export.status,
        allowed=[ExportStatus.PENDING],
        held="false",
    )
