"""What the use cases need from outside; the adapters are in store/."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from countersign_approval.acts import Act
from countersign_approval.approval_findings import Findings
from countersign_approval.draft import Draft, DraftSummary, KeptContent
from countersign_approval.draft_change import ApprovalItem, Approved, DraftChange, NewDraft
from countersign_approval.draft_filters import DraftFilters, DraftPosition
from countersign_approval.status_change import StatusChange
from countersign_core.lifecycle import DraftStatus


class Drafts(Protocol):
    """Drafts, taken in, read and changed; every write carries its act."""

    async def submit(self, new: NewDraft) -> Draft | None:
        """The draft as stored; None when the org has that external_ref already."""

    async def read(self, org_id: UUID, draft_id: UUID) -> Draft | None:
        """One draft of this org."""

    async def read_by_external_ref(self, org_id: UUID, external_ref: str) -> Draft | None:
        """One draft of this org, by the submitter's id."""

    async def change(self, change: DraftChange) -> Draft | None:
        """The draft after the change; None, and nothing written, when somebody was faster."""


class Contents(Protocol):
    """Every content that drafts ever had."""

    async def read(self, org_id: UUID, draft_id: UUID, version: int) -> KeptContent | None:
        """The content that this org's draft got at `version`; None when there is none."""


class Approvals(Protocol):
    """Gives approvals and says why not."""

    async def approve(
        self, org_id: UUID, approver: str, headers: Mapping[str, str], items: Sequence[ApprovalItem]
    ) -> Mapping[UUID, Approved]:
        """Approves those of `items` that can be, each with its act; by draft id."""

    async def findings(
        self, org_id: UUID, approver: str, draft_ids: Sequence[UUID]
    ) -> Mapping[UUID, Findings]:
        """The facts about each draft that exists, by id."""


class DraftLists(Protocol):
    """Lists of drafts."""

    async def page(
        self, org_id: UUID, filters: DraftFilters, after: DraftPosition | None, limit: int
    ) -> Sequence[DraftSummary]:
        """At most `limit` drafts in the filters' order, those behind `after`."""

    async def counts(
        self, org_id: UUID, filters: DraftFilters, limit: int
    ) -> Mapping[DraftStatus, int]:
        """How many drafts have each status, whatever the filters' own; counted up to `limit`."""


class Policies(Protocol):
    """One approval policy per org, or none."""

    async def read(self, org_id: UUID) -> Decimal | None:
        """The four-eyes threshold; None when it is off."""

    async def replace(
        self,
        org_id: UUID,
        *,
        seen: Decimal | None,
        threshold: Decimal | None,
        act: Act,
        headers: Mapping[str, str],
    ) -> bool:
        """Sets another threshold than `seen`; False when it is not `seen` any more."""


class StatusChanges(Protocol):
    """The feed of status changes."""

    async def safe_start(self, org_id: UUID, cursor: int | None) -> int:
        """The id to read behind so as to miss nothing after `cursor`, or after now (None)."""

    async def behind(self, org_id: UUID, start: int, limit: int) -> Sequence[StatusChange]:
        """At most `limit` changes with ids above `start`, by id."""

    async def sweep(self, age: timedelta, limit: int) -> int:
        """Deletes at most `limit` changes older than `age`, of any org; how many."""


class WakeUp(Protocol):
    """Tells the relay that there are new rows."""

    def __call__(self) -> None:
        """Returns at once."""
