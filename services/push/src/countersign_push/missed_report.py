"""What a report means whose compare-and-set changed nothing. Pure.

Each function looks at the export as it stands afterwards. It returns when the very same
report is on record already (its reply was lost), and raises LEASE_LOST or EXPORT_WRONG_STATE
otherwise.
"""

from datetime import datetime

from countersign_core.errors import WrongState
from countersign_core.lifecycle import ExportStatus
from countersign_core.reasons import Reason
from countersign_push.export_record import ExportRecord
from countersign_push.lease import AttemptError, Lease, LeaseLost, holds

_DELIVERED = frozenset({ExportStatus.SENT, ExportStatus.ACKED})


def missed_staged(lease: Lease, export: ExportRecord | None, staged_name: str) -> None:
    """Accepts a repeat even after a newer claim.

    The file is the token on record then. An answer of LEASE_LOST would make the worker delete
    it, and the next worker would take its absence for a delivery.
    """
    if export is None or export.status is not ExportStatus.PENDING:
        raise LeaseLost(lease, export)
    if (export.staged_name, export.staged_fence) == (staged_name, lease.fence):
        return
    if holds(lease, export):
        raise _wrong_state(export, "Another file is already staged")
    raise LeaseLost(lease, export)


def missed_sent(lease: Lease, export: ExportRecord | None) -> None:
    """Accepts a repeat of the lease that delivered."""
    if export is None or export.fence != lease.fence or export.status not in _DELIVERED:
        raise LeaseLost(lease, export)


def missed_failed(lease: Lease, export: ExportRecord | None) -> None:
    """Accepts a repeat of the lease that failed; refuses to fail a token that is still out."""
    if export is None or export.fence != lease.fence:
        raise LeaseLost(lease, export)
    if export.status is ExportStatus.FAILED and export.sent_at is None:
        return
    if export.status is ExportStatus.PENDING and holds(lease, export):
        raise _wrong_state(export, "A staged export fails only after its file was taken back")
    raise LeaseLost(lease, export)


def missed_deferred(lease: Lease, export: ExportRecord | None, error: AttemptError) -> datetime:
    """Accepts a repeat of the lease that put the export off; returns when it is due."""
    if export is None or not _put_off(lease, export, error) or export.next_attempt_at is None:
        raise LeaseLost(lease, export)
    return export.next_attempt_at


def missed_held(lease: Lease, export: ExportRecord | None, error: AttemptError) -> datetime:
    """As `missed_deferred`; only a staged export can be held."""
    if export is not None and holds(lease, export) and export.staged_name is None:
        raise _wrong_state(export, "Only a staged export can be held")
    if export is not None and export.outcome_unknown_since is None:
        raise LeaseLost(lease, export)
    return missed_deferred(lease, export, error)


def missed_release(lease: Lease, export: ExportRecord | None) -> None:
    """Accepts a repeat: the lease is already back and nobody claimed since."""
    if export is None or export.fence != lease.fence or export.leased_until is not None:
        raise LeaseLost(lease, export)
    if export.status is not ExportStatus.PENDING:
        raise LeaseLost(lease, export)


def _put_off(lease: Lease, export: ExportRecord, error: AttemptError) -> bool:
    recorded = export.error_json or {}
    return (
        export.status is ExportStatus.PENDING
        and export.fence == lease.fence
        and export.leased_until is None
        and recorded.get("code") == error.code
        and recorded.get("attempt") == export.attempt
    )


def _wrong_state(export: ExportRecord, message: str) -> WrongState:
    return WrongState(
        Reason.EXPORT_WRONG_STATE,
        message,
        current=str(export.status),
        allowed=[ExportStatus.PENDING],
        staged_name=export.staged_name or "",
    )
