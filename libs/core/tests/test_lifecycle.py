"""The moves that drafts and exports may make, and what follows from the table."""

import pytest

from countersign_core.lifecycle import (
    ACTIVE_EXPORT_STATUSES,
    DRAFT_TRANSITIONS,
    EDITABLE_STATUSES,
    EXPORT_TRANSITIONS,
    PREVIEWABLE_STATUSES,
    VALIDATABLE_STATUSES,
    DraftStatus,
    ExportStatus,
    is_legal_draft_move,
    is_legal_export_move,
)

D = DraftStatus
E = ExportStatus

LEGAL_DRAFT_MOVES = {
    (D.NEW, D.EXTRACTED),
    (D.EXTRACTED, D.NEEDS_REVIEW),
    (D.EXTRACTED, D.READY),
    (D.NEEDS_REVIEW, D.READY),
    (D.NEEDS_REVIEW, D.REJECTED),
    (D.READY, D.APPROVED),
    (D.READY, D.NEEDS_REVIEW),
    (D.APPROVED, D.PUSHING),
    (D.APPROVED, D.NEEDS_REVIEW),
    (D.PUSHING, D.PUSHED),
    (D.PUSHING, D.ERROR),
    (D.PUSHED, D.ERROR),
    (D.ERROR, D.PUSHING),
    (D.ERROR, D.NEEDS_REVIEW),
}
LEGAL_EXPORT_MOVES = {
    (E.PENDING, E.SENT),
    (E.PENDING, E.FAILED),
    (E.SENT, E.ACKED),
    (E.SENT, E.FAILED),
}


@pytest.mark.parametrize("source", list(D))
@pytest.mark.parametrize("target", list(D))
def test_a_draft_makes_exactly_the_moves_of_the_design(source, target):
    assert is_legal_draft_move(source, target) == ((source, target) in LEGAL_DRAFT_MOVES)


@pytest.mark.parametrize("source", list(E))
@pytest.mark.parametrize("target", list(E))
def test_an_export_makes_exactly_the_moves_of_the_design(source, target):
    assert is_legal_export_move(source, target) == ((source, target) in LEGAL_EXPORT_MOVES)


def reachable(transitions, start) -> set:
    seen, todo = set(), [start]
    while todo:
        state = todo.pop()
        if state not in seen:
            seen.add(state)
            todo.extend(transitions[state])
    return seen


def test_every_state_can_be_reached():
    assert reachable(DRAFT_TRANSITIONS, D.NEW) == set(D)
    assert reachable(EXPORT_TRANSITIONS, E.PENDING) == set(E)


def test_only_a_rejected_draft_is_final():
    assert {state for state, targets in DRAFT_TRANSITIONS.items() if not targets} == {D.REJECTED}


def test_a_finished_export_never_changes():
    assert {state for state, targets in EXPORT_TRANSITIONS.items() if not targets} == {
        E.ACKED,
        E.FAILED,
    }


def test_nothing_can_be_pushed_that_was_not_approved():
    """Without APPROVED there is no way to PUSHING."""
    without = {
        state: targets - {D.APPROVED}
        for state, targets in DRAFT_TRANSITIONS.items()
        if state is not D.APPROVED
    }
    assert D.PUSHING not in reachable(without, D.NEW)


def test_an_edited_draft_needs_a_new_approval():
    """What an edit puts into NEEDS_REVIEW reaches PUSHING through APPROVED only."""
    for state in (D.APPROVED, D.ERROR):
        assert is_legal_draft_move(state, D.NEEDS_REVIEW)


def test_only_a_failed_export_lets_another_one_in():
    assert set(E) - ACTIVE_EXPORT_STATUSES == {E.FAILED}


def test_what_is_under_way_or_final_cannot_be_edited():
    assert set(D) - EDITABLE_STATUSES == {D.PUSHING, D.PUSHED, D.REJECTED}


def test_the_ready_check_runs_before_approval_only():
    assert set(D) - VALIDATABLE_STATUSES == {
        D.APPROVED,
        D.PUSHING,
        D.PUSHED,
        D.ERROR,
        D.REJECTED,
    }


def test_a_preview_needs_approved_content():
    assert {D.APPROVED, D.PUSHING, D.PUSHED, D.ERROR} == PREVIEWABLE_STATUSES
