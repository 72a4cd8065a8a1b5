"""What the commands ask the store to write."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from countersign_approval.acts import Act
from countersign_approval.draft import Approval, BlockingReason, Draft, Issue
from countersign_approval.draft_content import CanonicalContent
from countersign_approval.moves import moves_between
from countersign_core.lifecycle import DraftStatus


@dataclass(frozen=True, slots=True)
class NewDraft:
    """A draft to take in, with its act; it begins at version 1."""

    org_id: UUID
    id: UUID
    external_ref: str
    status: DraftStatus
    content: CanonicalContent
    blocking_reasons: tuple[BlockingReason, ...]
    issues: tuple[Issue, ...]
    submitter: str
    act: Act
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DraftChange:
    """What becomes of `seen`, if nobody changed it meanwhile.

    `status` is NEEDS_REVIEW, READY or REJECTED, so whatever approval there was ends. `content`
    None keeps the content. `rejected_by` and `reject_reason` go with REJECTED.
    """

    seen: Draft
    status: DraftStatus
    acts: tuple[Act, ...]
    headers: Mapping[str, str]
    blocking_reasons: tuple[BlockingReason, ...]
    issues: tuple[Issue, ...]
    last_edited_by: str
    content: CanonicalContent | None = None
    rejected_by: str | None = None
    reject_reason: str | None = None


@dataclass(frozen=True, slots=True)
class ApprovalItem:
    """One draft to approve; `event` is its act as acts.approval_begun makes it."""

    draft_id: UUID
    expected_version: int | None
    event: bytes


@dataclass(frozen=True, slots=True)
class Approved:
    """An approval that was given; `version` is the draft's after it."""

    draft_id: UUID
    version: int
    approval: Approval


def version_after(seen: Draft, status: DraftStatus) -> int:
    """The version that `seen` will have once it stands at `status`: each move counts."""
    return seen.version + len(moves_between(seen.status, status)) + 1
