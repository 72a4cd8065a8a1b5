"""The right to work on one export, and the words of a worker about a failure."""

from dataclasses import dataclass
from uuid import UUID

from countersign_core.errors import CountersignError
from countersign_core.reasons import Reason
from countersign_push.export_record import ExportRecord


@dataclass(frozen=True, slots=True)
class Lease:
    """What a claim gave out; `fence` grows with every claim of the export."""

    org_id: UUID
    export_id: UUID
    fence: int


@dataclass(frozen=True, slots=True)
class AttemptError:
    """What went wrong: a code like DISK_FULL and one sentence for the operator."""

    code: str
    message: str


class LeaseLost(CountersignError):
    """The lease is not the current one, or it was given back.

    Carries `staged_name`, the token on record: a worker must never delete that file, even if
    it wrote it itself.
    """

    def __init__(self, lease: Lease, export: ExportRecord | None) -> None:
        """`export` is the row as it stands; None when there is none."""
        facts = {"fence": str(lease.fence)}
        if export is not None:
            facts["current_fence"] = str(export.fence)
            facts["export_status"] = str(export.status)
            facts["staged_name"] = export.staged_name or ""
        super().__init__(Reason.LEASE_LOST, "The lease is lost", **facts)


def holds(lease: Lease, export: ExportRecord) -> bool:
    """Whether the lease is out and nobody claimed the export since.

    The clock does not matter: a lease that ran out is still its holder's until the next claim.
    """
    return export.fence == lease.fence and export.leased_until is not None
