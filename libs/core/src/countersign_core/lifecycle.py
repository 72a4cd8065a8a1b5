"""The life cycle of draft orders and exports: states, legal moves, and what a crash leaves.

The picture is docs/lifecycle.md; the database enforces the same moves
(approval.draft_transitions). A test keeps file, picture and database equal.
"""

from enum import StrEnum


class DraftStatus(StrEnum):
    """Where a draft order stands."""

    # Registered, content not read yet. A submit passes through it within one transaction.
    NEW = "NEW"
    # Content read, ready check not run yet. A submit passes through it as well.
    EXTRACTED = "EXTRACTED"
    # The ready check found blocking reasons. An operator moves it on, by edit or reject.
    NEEDS_REVIEW = "NEEDS_REVIEW"
    # Nothing blocks it. An operator moves it on, by approve.
    READY = "READY"
    # Content frozen under a digest. An operator moves it on, by push.
    APPROVED = "APPROVED"
    # An export is PENDING. A worker moves it on; after a crash the lease runs out and the
    # reconciler offers the export again, so nothing stays here for ever.
    PUSHING = "PUSHING"
    # The file stands in the dropzone. Only an error ack of the ERP moves it.
    PUSHED = "PUSHED"
    # The export failed. An operator moves it on, by retry or edit.
    ERROR = "ERROR"
    # Refused by an operator. Final.
    REJECTED = "REJECTED"


class ExportStatus(StrEnum):
    """Where an export stands."""

    # Waits for a worker or is leased to one. A crash leaves it here, with or without a
    # staged file; the next lease goes on from what is on record.
    PENDING = "PENDING"
    # The file was published. An ack of the ERP may still move it.
    SENT = "SENT"
    # The ERP confirmed the order. Final.
    ACKED = "ACKED"
    # Nothing reached the ERP, or the ERP refused the file. Final: a retry is a new export.
    FAILED = "FAILED"


_D = DraftStatus

DRAFT_TRANSITIONS: dict[DraftStatus, frozenset[DraftStatus]] = {
    _D.NEW: frozenset({_D.EXTRACTED}),
    _D.EXTRACTED: frozenset({_D.NEEDS_REVIEW, _D.READY}),
    _D.NEEDS_REVIEW: frozenset({_D.READY, _D.REJECTED}),
    _D.READY: frozenset({_D.APPROVED, _D.NEEDS_REVIEW}),
    _D.APPROVED: frozenset({_D.PUSHING, _D.NEEDS_REVIEW}),
    _D.PUSHING: frozenset({_D.PUSHED, _D.ERROR}),
    _D.PUSHED: frozenset({_D.ERROR}),
    _D.ERROR: frozenset({_D.PUSHING, _D.NEEDS_REVIEW}),
    _D.REJECTED: frozenset(),
}

_E = ExportStatus

EXPORT_TRANSITIONS: dict[ExportStatus, frozenset[ExportStatus]] = {
    _E.PENDING: frozenset({_E.SENT, _E.FAILED}),
    _E.SENT: frozenset({_E.ACKED, _E.FAILED}),
    _E.ACKED: frozenset(),
    _E.FAILED: frozenset(),
}

# A draft has at most one export in one of these; the database holds it with the partial
# unique index push.a_draft_has_at_most_one_active_export.
ACTIVE_EXPORT_STATUSES = frozenset({_E.PENDING, _E.SENT, _E.ACKED})

# What an operator may change the content of. From APPROVED and ERROR the edit goes through
# NEEDS_REVIEW and clears the approval.
EDITABLE_STATUSES = frozenset(
    {_D.NEW, _D.EXTRACTED, _D.NEEDS_REVIEW, _D.READY, _D.APPROVED, _D.ERROR}
)

# What the ready check may be run on by hand.
VALIDATABLE_STATUSES = frozenset({_D.NEW, _D.EXTRACTED, _D.NEEDS_REVIEW, _D.READY})

# Whose approved content can be shown as the document of a push.
PREVIEWABLE_STATUSES = frozenset({_D.APPROVED, _D.PUSHING, _D.PUSHED, _D.ERROR})


def is_legal_draft_move(source: DraftStatus, target: DraftStatus) -> bool:
    """Whether a draft may go from `source` to `target` in one step."""
    return target in DRAFT_TRANSITIONS[source]


def is_legal_export_move(source: ExportStatus, target: ExportStatus) -> bool:
    """Whether an export may go from `source` to `target` in one step."""
    return target in EXPORT_TRANSITIONS[source]
