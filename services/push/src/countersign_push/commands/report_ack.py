"""The ERP answered: it has the order, or it refused the file."""

from collections.abc import Callable
from uuid import UUID

from countersign_core.errors import NotFound, Unavailable
from countersign_core.lifecycle import ExportStatus
from countersign_core.reasons import Reason
from countersign_push.ack_step import Ack, AckStep, next_step
from countersign_push.export_acts import export_acked, push_failed, push_succeeded
from countersign_push.export_record import ExportRecord
from countersign_push.lease import AttemptError
from countersign_push.metrics import EXPORTS
from countersign_push.store.acks import AckStore

# An answer takes two steps at most; more rounds only if others move the export meanwhile.
_ROUNDS = 6


class ReportAck:
    """Walks the export to the status that the answer asks for, one safe step at a time.

    A crash between two steps leaves a true status behind, and the same answer, reported again,
    goes on from there.
    """

    def __init__(self, acks: AckStore, wake_relay: Callable[[], None]) -> None:
        self._acks = acks
        self._wake_relay = wake_relay

    async def __call__(
        self,
        org_id: UUID,
        connection_id: UUID,
        file_name: str,
        ack: Ack,
        export_id: UUID | None = None,
    ) -> ExportStatus:
        """ACKED or FAILED; the same answer again is accepted.

        Raises:
            NotFound: EXPORT_NOT_FOUND; no export of this connection has such a file or id, or
                they belong to two exports.
            WrongState: EXPORT_WRONG_STATE; another answer is on record, or nothing was staged.
        """
        for _ in range(_ROUNDS):
            export = await self._acks.find(org_id, connection_id, file_name, export_id)
            if export is None or export_id not in {None, export.id}:
                raise NotFound(Reason.EXPORT_NOT_FOUND, "Export not found")
            step = next_step(export, ack)
            if step is AckStep.NOTHING:
                return export.status
            await self._take(step, export, ack)
        raise Unavailable("The export is being changed by others")

    async def _take(self, step: AckStep, export: ExportRecord, ack: Ack) -> None:
        match step:
            case AckStep.DELIVER:
                act = push_succeeded(export, "ACKED")
                done, outcome = await self._acks.deliver(export, act), ExportStatus.SENT
            case AckStep.CONFIRM:
                act = export_acked(export, ack)
                done, outcome = await self._acks.confirm(export, ack, act), ExportStatus.ACKED
            case _:
                act = push_failed(export, AttemptError(ack.code, ack.message))
                done, outcome = await self._acks.refuse(export, ack, act), ExportStatus.FAILED
        if done:
            EXPORTS.labels(outcome.value).inc()
            self._wake_relay()
