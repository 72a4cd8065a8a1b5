"""The way between two states uses legal moves only."""

from itertools import pairwise, product

import pytest

from countersign_approval.commands.reject_draft import REJECTABLE
from countersign_approval.commands.validate_draft import VALIDATABLE
from countersign_approval.edited_draft import EDITABLE
from countersign_approval.moves import moves_between
from countersign_core.lifecycle import (
    EDITABLE_STATUSES,
    VALIDATABLE_STATUSES,
    DraftStatus,
    is_legal_draft_move,
)


@pytest.mark.parametrize(("source", "target"), list(product(DraftStatus, DraftStatus)))
def test_every_way_is_made_of_legal_moves(source, target):
    try:
        between = moves_between(source, target)
    except ValueError:
        return
    way = [source, *between, target]
    if source is not target:
        assert all(is_legal_draft_move(*step) for step in pairwise(way))


@pytest.mark.parametrize(
    ("source", "target", "between"),
    [
        ("READY", "REJECTED", ["NEEDS_REVIEW"]),
        ("NEEDS_REVIEW", "REJECTED", []),
        ("NEW", "READY", ["EXTRACTED"]),
        ("NEW", "NEEDS_REVIEW", ["EXTRACTED"]),
        ("APPROVED", "NEEDS_REVIEW", []),
        ("READY", "READY", []),
    ],
)
def test_the_ways_that_acts_take(source, target, between):
    assert list(moves_between(DraftStatus(source), DraftStatus(target))) == between


def test_there_is_no_way_back_from_rejected():
    with pytest.raises(ValueError, match="no way"):
        moves_between(DraftStatus.REJECTED, DraftStatus.NEEDS_REVIEW)


def test_the_states_that_messages_list_are_those_of_the_life_cycle():
    assert set(EDITABLE) == EDITABLE_STATUSES
    assert set(VALIDATABLE) == VALIDATABLE_STATUSES
    rejectable = {s for s in DraftStatus if s in REJECTABLE}
    assert rejectable == {DraftStatus.NEEDS_REVIEW, DraftStatus.READY}
