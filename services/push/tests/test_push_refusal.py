"""Why a push is refused: every reason, its exact sentence and its facts."""

from decimal import Decimal
from uuid import UUID

import pytest

from countersign_core.lifecycle import DraftStatus, ExportStatus
from countersign_core.reasons import Reason
from countersign_push.push_intent import Operation, PushIntent
from countersign_push.push_refusal import ActiveExport, Findings, refusal

DRAFT = UUID("00000000-0000-4000-8000-000000000001")
EXPORT = UUID("00000000-0000-4000-8000-000000000002")
CONNECTION = UUID("00000000-0000-4000-8000-000000000003")
INTENT = PushIntent(DRAFT)
PUSH, RETRY = Operation.PUSH, Operation.RETRY


def findings(**changes):
    values = {
        "replay": None,
        "draft_status": DraftStatus.APPROVED,
        "draft_version": 4,
        "active_export": None,
        "second_person_above": None,
        "usable_connections": 1,
        "named_connection": None,
    }
    return Findings(**{**values, **changes})


def told(error):
    return error.reason, error.message, dict(error.metadata)


def test_nothing_in_the_way_any_more_means_ask_again():
    assert refusal(PUSH, INTENT, findings()) is None
    assert refusal(RETRY, INTENT, findings(draft_status=DraftStatus.ERROR)) is None


def test_a_draft_of_nobody_is_not_found():
    error = refusal(PUSH, INTENT, findings(draft_status=None, draft_version=None))
    assert told(error) == (Reason.DRAFT_NOT_FOUND, "Draft not found", {})


@pytest.mark.parametrize("status", sorted(set(DraftStatus) - {"APPROVED", "PUSHING", "PUSHED"}))
def test_a_push_from_another_state_says_current_and_allowed(status):
    error = refusal(PUSH, INTENT, findings(draft_status=status))
    assert told(error) == (
        Reason.WRONG_STATE,
        f"Draft must be APPROVED to push (current: {status.value})",
        {"current": status.value, "allowed": "APPROVED"},
    )


@pytest.mark.parametrize("status", sorted(set(DraftStatus) - {"ERROR", "PUSHING", "PUSHED"}))
def test_a_retry_from_another_state_says_current_and_allowed(status):
    error = refusal(RETRY, INTENT, findings(draft_status=status))
    assert told(error) == (
        Reason.WRONG_STATE,
        f"Draft must be ERROR to retry (current: {status.value})",
        {"current": status.value, "allowed": "ERROR"},
    )


@pytest.mark.parametrize(
    ("operation", "draft", "export", "held", "reason"),
    [
        (PUSH, "PUSHING", "PENDING", False, "EXPORT_EXISTS"),
        (PUSH, "PUSHING", "PENDING", True, "EXPORT_EXISTS"),
        (PUSH, "PUSHED", "SENT", False, "EXPORT_EXISTS"),
        (PUSH, "PUSHED", "ACKED", False, "EXPORT_EXISTS"),
        # A draft that was approved while an export is active: the permanent guard's answer.
        (PUSH, "APPROVED", "SENT", False, "EXPORT_EXISTS"),
        (RETRY, "PUSHING", "PENDING", False, "EXPORT_EXISTS"),
        (RETRY, "PUSHING", "PENDING", True, "OUTCOME_UNKNOWN"),
        (RETRY, "PUSHED", "SENT", False, "EXPORT_ALREADY_SUCCEEDED"),
        (RETRY, "PUSHED", "ACKED", False, "EXPORT_ALREADY_SUCCEEDED"),
    ],
)
def test_an_active_export_is_named(operation, draft, export, held, reason):
    active = ActiveExport(EXPORT, ExportStatus(export), held)
    found = findings(draft_status=DraftStatus(draft), active_export=active)
    sentences = {
        "EXPORT_EXISTS": "Export already in progress or completed",
        "OUTCOME_UNKNOWN": "Whether the last export reached the ERP is not known yet",
        "EXPORT_ALREADY_SUCCEEDED": "Export already succeeded",
    }
    facts = {"erp_export_id": str(EXPORT), "export_status": export, "current": draft}
    assert told(refusal(operation, INTENT, found)) == (Reason(reason), sentences[reason], facts)


def test_a_draft_that_changed_since_is_not_pushed():
    error = refusal(PUSH, PushIntent(DRAFT, expected_version=3), findings())
    assert told(error) == (
        Reason.VERSION_MISMATCH,
        "Changed since version 3 (current: 4)",
        {"expected_version": "3", "current_version": "4"},
    )


def test_the_policy_wants_a_second_person():
    error = refusal(PUSH, INTENT, findings(second_person_above=Decimal("1000.00")))
    assert told(error) == (
        Reason.FOUR_EYES_REQUIRED,
        "Whoever approved this draft must not push it; a second person is needed",
        {"rule": "pusher_is_approver", "threshold": "1000.00"},
    )


def test_a_round_threshold_is_spelled_out():
    error = refusal(PUSH, INTENT, findings(second_person_above=Decimal("1E+4")))
    assert error.metadata["threshold"] == "10000"


def test_no_active_connection():
    error = refusal(PUSH, INTENT, findings(usable_connections=0))
    assert told(error) == (Reason.NO_ACTIVE_CONNECTION, "No active ERP connection", {})


def test_several_active_connections():
    error = refusal(PUSH, INTENT, findings(usable_connections=2))
    assert told(error) == (
        Reason.CONNECTION_AMBIGUOUS,
        "Several ERP connections are active; name one",
        {"active_connections": "2"},
    )


def test_a_named_connection_of_nobody_is_not_found():
    intent = PushIntent(DRAFT, connection_id=CONNECTION)
    error = refusal(PUSH, intent, findings(usable_connections=0))
    assert told(error) == (Reason.CONNECTION_NOT_FOUND, "ERP connection not found", {})


def test_a_named_connection_that_is_disabled_is_not_active():
    intent = PushIntent(DRAFT, connection_id=CONNECTION)
    found = findings(usable_connections=0, named_connection="DISABLED")
    error = refusal(PUSH, intent, found)
    assert told(error) == (Reason.NO_ACTIVE_CONNECTION, "No active ERP connection", {})


def test_a_named_connection_that_became_active_meanwhile_is_tried_again():
    intent = PushIntent(DRAFT, connection_id=CONNECTION)
    assert refusal(PUSH, intent, findings(named_connection="ACTIVE")) is None


def test_the_state_is_told_before_the_version():
    """A double click with If-Match learns of its own export, not of a changed version."""
    intent = PushIntent(DRAFT, expected_version=3)
    active = ActiveExport(EXPORT, ExportStatus.PENDING, held=False)
    found = findings(draft_status=DraftStatus.PUSHING, active_export=active)
    assert refusal(PUSH, intent, found).reason is Reason.EXPORT_EXISTS
