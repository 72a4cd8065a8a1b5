"""Approves one draft, or up to five hundred; a second look says why one was refused."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from countersign_approval.acts import approval_begun, outbox_headers
from countersign_approval.approval_findings import refusal
from countersign_approval.audit_guard import AuditGuard
from countersign_approval.draft_change import ApprovalItem, Approved
from countersign_approval.ports import Approvals, WakeUp
from countersign_approval.refusals import lost_every_race
from countersign_core.errors import CountersignError, FieldError, InvalidRequest
from countersign_platform.rpc.call import Call

# Between the two statements a draft may become approvable again: then it is asked again.
_ATTEMPTS = 4

Outcome = Approved | CountersignError


@dataclass(frozen=True, slots=True)
class WhatToApprove:
    """One draft, and the version that the caller saw of it (None: whichever it has)."""

    draft_id: UUID
    expected_version: int | None


class ApproveDrafts:
    """READY → APPROVED, with the digest of the content."""

    def __init__(self, approvals: Approvals, wake: WakeUp, guard: AuditGuard) -> None:
        self._approvals = approvals
        self._guard = guard
        self._wake = wake

    async def one(self, call: Call, asked: WhatToApprove) -> Approved:
        """The approval.

        Raises:
            CountersignError: DRAFT_NOT_FOUND, WRONG_STATE, ALREADY_APPROVED, VERSION_MISMATCH,
                FOUR_EYES_REQUIRED, AUDIT_BEHIND.
        """
        outcome = (await self._approve(call, [asked]))[asked.draft_id]
        if isinstance(outcome, CountersignError):
            raise outcome
        return outcome

    async def many(self, call: Call, asked: Sequence[WhatToApprove]) -> list[Outcome]:
        """An approval or a refusal for each, in the order asked.

        Raises:
            InvalidRequest: a draft is asked for twice.
            CountersignError: AUDIT_BEHIND, for all of them.
        """
        errors = list(_doubled(asked))
        if errors:
            raise InvalidRequest(errors)
        outcomes = await self._approve(call, asked)
        return [outcomes[item.draft_id] for item in asked]

    async def _approve(self, call: Call, asked: Sequence[WhatToApprove]) -> dict[UUID, Outcome]:
        self._guard.require_in_step()
        outcomes: dict[UUID, Outcome] = {}
        open_items = list(asked)
        for _ in range(_ATTEMPTS):
            outcomes |= await self._approve_now(call, open_items)
            open_items = [item for item in open_items if item.draft_id not in outcomes]
            if not open_items:
                return outcomes
            outcomes |= await self._refusals(call, open_items)
            open_items = [item for item in open_items if item.draft_id not in outcomes]
            if not open_items:
                return outcomes
        return outcomes | {item.draft_id: lost_every_race() for item in open_items}

    async def _approve_now(
        self, call: Call, asked: Sequence[WhatToApprove]
    ) -> Mapping[UUID, Approved]:
        items = [
            ApprovalItem(item.draft_id, item.expected_version, approval_begun(call, item.draft_id))
            for item in asked
        ]
        headers = outbox_headers(call)
        approved = await self._approvals.approve(call.org_id, call.identity.subject, headers, items)
        if approved:
            self._wake()
        return approved

    async def _refusals(
        self, call: Call, asked: Sequence[WhatToApprove]
    ) -> dict[UUID, CountersignError]:
        findings = await self._approvals.findings(
            call.org_id, call.identity.subject, [item.draft_id for item in asked]
        )
        refused = {
            item.draft_id: refusal(item.expected_version, findings.get(item.draft_id))
            for item in asked
        }
        return {draft_id: error for draft_id, error in refused.items() if error is not None}


def _doubled(asked: Sequence[WhatToApprove]) -> Iterator[FieldError]:
    seen: set[UUID] = set()
    for index, item in enumerate(asked):
        if item.draft_id in seen:
            yield FieldError(f"items[{index}].draft_order_id", "is in the request already")
        seen.add(item.draft_id)
