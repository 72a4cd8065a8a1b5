"""Facts in, the documented refusal out."""

from decimal import Decimal

import pytest

from countersign_approval.approval_findings import Findings, refusal
from countersign_core.errors import CountersignError
from countersign_core.lifecycle import DraftStatus
from countersign_core.reasons import Reason


def found(status: str = "READY", above: str | None = None) -> Findings:
    return Findings(DraftStatus(status), 4, None if above is None else Decimal(above))


def test_nothing_stands_in_the_way_any_more():
    assert refusal(None, found()) is None
    assert refusal(4, found()) is None


def test_no_facts_mean_no_draft():
    error = refusal(None, None)
    assert isinstance(error, CountersignError)
    assert (error.reason, error.message) == (Reason.DRAFT_NOT_FOUND, "Draft not found")


@pytest.mark.parametrize("status", sorted(set(DraftStatus) - {"READY", "APPROVED"}))
def test_any_other_state_names_itself_and_the_one_it_should_be(status):
    error = refusal(3, found(status, "10"))
    assert error is not None
    assert error.reason is Reason.WRONG_STATE
    assert error.message == f"Draft must be READY to approve (current: {status})"
    assert error.metadata == {"current": status, "allowed": "READY"}


def test_approved_is_said_before_anything_else():
    error = refusal(1, found("APPROVED", "10"))
    assert error is not None
    assert (error.reason, error.message) == (Reason.ALREADY_APPROVED, "Draft already approved")


def test_a_stale_version_comes_before_the_policy():
    error = refusal(3, found(above="10"))
    assert error is not None
    assert error.reason is Reason.VERSION_MISMATCH
    assert error.metadata == {"expected_version": "3", "current_version": "4"}


def test_the_policy_names_rule_and_threshold():
    error = refusal(4, found(above="1000.00"))
    assert error is not None
    assert error.reason is Reason.FOUR_EYES_REQUIRED
    assert error.metadata == {"rule": "approver_is_last_editor", "threshold": "1000.00"}
