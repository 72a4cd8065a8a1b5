"""Approvals that wait for the audit trail."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest

from countersign_approval.audit_guard import AuditGuard
from countersign_approval.commands.approve_drafts import ApproveDrafts, WhatToApprove
from countersign_approval.draft_change import ApprovalItem, Approved
from countersign_core.errors import CountersignError
from countersign_core.reasons import Reason
from countersign_core.roles import Role
from countersign_platform.auth.identity import Identity
from countersign_platform.rpc.call import Call

ORG = UUID(int=5)


def test_without_a_limit_nothing_is_refused() -> None:
    AuditGuard(None, lambda: 1e9).require_in_step()
    AuditGuard(None, lambda: None).require_in_step()


@pytest.mark.parametrize("lag", [0.0, 29.9, 30.0])
def test_a_lag_within_the_limit_is_let_through(lag: float) -> None:
    AuditGuard(30.0, lambda: lag).require_in_step()


def test_a_lag_beyond_the_limit_is_refused_with_its_figures() -> None:
    with pytest.raises(CountersignError) as caught:
        AuditGuard(30.0, lambda: 412.3).require_in_step()
    assert caught.value.reason is Reason.AUDIT_BEHIND
    assert caught.value.metadata == {"lag_seconds": "412", "allowed_seconds": "30"}
    assert caught.value.retry_after_seconds


def test_a_lag_that_nobody_measured_yet_is_refused() -> None:
    """Fail closed: a process that has just started may be the one that hides the lag."""
    with pytest.raises(CountersignError) as caught:
        AuditGuard(30.0, lambda: None).require_in_step()
    assert caught.value.reason is Reason.AUDIT_BEHIND


class CountedApprovals:
    """Approves all, and counts its statements."""

    def __init__(self) -> None:
        self.statements = 0

    async def approve(
        self, org_id: UUID, subject: str, headers: Any, items: Sequence[ApprovalItem]
    ) -> Mapping[UUID, Approved]:
        self.statements += 1
        return {item.draft_id: object() for item in items}  # type: ignore[misc]

    async def findings(self, *_: Any) -> Mapping[UUID, Any]:
        self.statements += 1
        return {}


def call() -> Call:
    identity = Identity(
        subject="olga", org_id=ORG, org_slug="acme", roles=frozenset({Role.OPERATOR})
    )
    return Call("/x/y", identity, "r", "t", "p")


async def test_the_limit_costs_no_statement() -> None:
    for guard in (AuditGuard(None, lambda: None), AuditGuard(30.0, lambda: 1.0)):
        approvals = CountedApprovals()
        command = ApproveDrafts(approvals, lambda: None, guard)
        await command.one(call(), WhatToApprove(uuid4(), None))
        assert approvals.statements == 1


async def test_a_refused_approval_costs_no_statement() -> None:
    approvals = CountedApprovals()
    command = ApproveDrafts(approvals, lambda: None, AuditGuard(30.0, lambda: 31.0))
    for refused in (
        command.one(call(), WhatToApprove(uuid4(), None)),
        command.many(call(), [WhatToApprove(uuid4(), None)]),
    ):
        with pytest.raises(CountersignError):
            await refused
    assert approvals.statements == 0
