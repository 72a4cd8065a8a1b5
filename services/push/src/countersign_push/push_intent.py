"""What a caller asks for when it pushes, and what it is told."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from countersign_core.audit_actions import AuditAction
from countersign_core.lifecycle import DraftStatus, ExportStatus


class Operation(StrEnum):
    """The two ways into PUSHING; part of an idempotency key's scope."""

    PUSH = "push"
    RETRY = "retry"

    @property
    def source(self) -> DraftStatus:
        """The state that a draft must be in."""
        return DraftStatus.APPROVED if self is Operation.PUSH else DraftStatus.ERROR

    @property
    def audit_action(self) -> AuditAction:
        """The act that goes on record."""
        return (
            AuditAction.DRAFT_PUSHED if self is Operation.PUSH else AuditAction.DRAFT_PUSH_RETRIED
        )


@dataclass(frozen=True, slots=True)
class PushIntent:
    """One draft to push or retry, in the caller's words.

    `expected_version` None: whatever version it has. `connection_id` None: the only active one.
    `reason` is the operator's for a retry, empty for a push.
    """

    draft_id: UUID
    expected_version: int | None = None
    connection_id: UUID | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PushResult:
    """The export that a push made (PENDING), or that an earlier one with the same key made."""

    export_id: UUID
    status: ExportStatus
    replayed: bool
