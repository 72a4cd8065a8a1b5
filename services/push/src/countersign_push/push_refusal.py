"""Why a draft was not pushed: the facts of the second statement, and the answer they give.

The statement that pushes says only that nothing moved. Whoever lost a race, came too late or
may not push reads the facts afterwards; this module turns them into the documented refusal.
"""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from countersign_core.errors import (
    CountersignError,
    Forbidden,
    NotFound,
    VersionMismatch,
    WrongState,
)
from countersign_core.lifecycle import DraftStatus, ExportStatus
from countersign_core.reasons import Reason
from countersign_push.push_intent import Operation, PushIntent


@dataclass(frozen=True, slots=True)
class Replay:
    """What an unexpired key points at; `lifetime_seconds` is what is left of the key."""

    export_id: UUID
    status: ExportStatus
    same_request: bool
    lifetime_seconds: float


@dataclass(frozen=True, slots=True)
class ActiveExport:
    """The draft's export that is under way or done; `held`: its outcome is unknown."""

    export_id: UUID
    status: ExportStatus
    held: bool


@dataclass(frozen=True, slots=True)
class Findings:
    """The facts about one draft, read after it was not pushed.

    `second_person_above` is set when the policy keeps this caller from pushing this draft.
    `usable_connections` counts the active ones that the intent allows. `named_connection` is
    the status of the one it names; None when it names none or one that does not exist.
    """

    replay: Replay | None
    draft_status: DraftStatus | None
    draft_version: int | None
    active_export: ActiveExport | None
    second_person_above: Decimal | None
    usable_connections: int
    named_connection: str | None


def key_reused() -> CountersignError:
    """The refusal of a key that came before with another request."""
    return CountersignError(
        Reason.IDEMPOTENCY_KEY_REUSED,
        "This idempotency key was used before with another request",
    )


def refusal(operation: Operation, intent: PushIntent, found: Findings) -> CountersignError | None:
    """Why `intent` is refused; None when nothing stands in its way any more: ask again."""
    if found.draft_status is None or found.draft_version is None:
        return NotFound(Reason.DRAFT_NOT_FOUND, "Draft not found")
    return (
        _state_refusal(operation, found.draft_status, found.active_export)
        or _version_refusal(intent, found.draft_version)
        or _policy_refusal(found.second_person_above)
        or _connection_refusal(intent, found)
    )


def _state_refusal(
    operation: Operation, status: DraftStatus, active: ActiveExport | None
) -> CountersignError | None:
    if active is not None:
        return _active_export_refusal(operation, status, active)
    if status is operation.source:
        return None
    return WrongState(
        Reason.WRONG_STATE,
        f"Draft must be {operation.source} to {operation} (current: {status})",
        current=status,
        allowed=[operation.source],
    )


def _active_export_refusal(
    operation: Operation, status: DraftStatus, active: ActiveExport
) -> CountersignError:
    reason, message = Reason.EXPORT_EXISTS, "Export already in progress or completed"
    if operation is Operation.RETRY and active.status is not ExportStatus.PENDING:
        reason, message = Reason.EXPORT_ALREADY_SUCCEEDED, "Export already succeeded"
    elif operation is Operation.RETRY and active.held:
        reason = Reason.OUTCOME_UNKNOWN
        message = "Whether the last export reached the ERP is not known yet"
    return CountersignError(
        reason,
        message,
        erp_export_id=str(active.export_id),
        export_status=active.status,
        current=status,
    )


def _version_refusal(intent: PushIntent, current: int) -> CountersignError | None:
    if intent.expected_version is None or intent.expected_version == current:
        return None
    return VersionMismatch(expected=intent.expected_version, current=current)


def _policy_refusal(threshold: Decimal | None) -> CountersignError | None:
    if threshold is None:
        return None
    return Forbidden(
        Reason.FOUR_EYES_REQUIRED,
        "Whoever approved this draft must not push it; a second person is needed",
        rule="pusher_is_approver",
        threshold=f"{threshold:f}",
    )


def _connection_refusal(intent: PushIntent, found: Findings) -> CountersignError | None:
    if found.usable_connections == 1:
        return None
    if found.usable_connections > 1:
        return CountersignError(
            Reason.CONNECTION_AMBIGUOUS,
            "Several ERP connections are active; name one",
            active_connections=str(found.usable_connections),
        )
    if intent.connection_id is None or found.named_connection is not None:
        return CountersignError(Reason.NO_ACTIVE_CONNECTION, "No active ERP connection")
    return NotFound(Reason.CONNECTION_NOT_FOUND, "ERP connection not found")
