"""What the ERP's answer to a file means for the export it belongs to. Pure."""

from dataclasses import dataclass
from enum import Enum, auto

from countersign_core.errors import WrongState
from countersign_core.lifecycle import ExportStatus
from countersign_core.reasons import Reason
from countersign_push.export_record import ExportRecord


@dataclass(frozen=True, slots=True)
class Ack:
    """The ERP's answer. `code` and `message` are its words when it refused the file."""

    accepted: bool
    erp_order_id: str = ""
    code: str = ""
    message: str = ""


class AckStep(Enum):
    """The one thing to do next; asked again until nothing is left."""

    # The ERP answered before the worker could report: only a publish can have brought it there.
    DELIVER = auto()
    # SENT → ACKED.
    CONFIRM = auto()
    # PENDING or SENT → FAILED.
    REFUSE = auto()
    # The very same answer is on record.
    NOTHING = auto()


def next_step(export: ExportRecord, ack: Ack) -> AckStep:
    """The step that `ack` asks for.

    Raises:
        WrongState: EXPORT_WRONG_STATE; another answer is on record, or nothing was ever staged,
            so the ERP cannot have the file.
    """
    match export.status:
        case ExportStatus.PENDING if export.staged_name is not None:
            return AckStep.DELIVER if ack.accepted else AckStep.REFUSE
        case ExportStatus.SENT:
            return AckStep.CONFIRM if ack.accepted else AckStep.REFUSE
        case ExportStatus.ACKED if ack.accepted and ack.erp_order_id == (export.erp_order_id or ""):
            return AckStep.NOTHING
        # acked_at tells a refusal by the ERP from a failure on the way there.
        case ExportStatus.FAILED if not ack.accepted and export.acked_at is not None:
            return AckStep.NOTHING
    raise WrongState(
        Reason.EXPORT_WRONG_STATE,
        f"The ERP's answer does not fit an export that is {export.status}",
        current=str(export.status),
        allowed=[ExportStatus.SENT],
        erp_export_id=str(export.id),
    )
