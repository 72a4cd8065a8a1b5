"""An error carries a reason, a sentence and the facts; its class says what kind it is."""

import pytest

from countersign_core import errors
from countersign_core.errors import (
    CountersignError,
    FieldError,
    InvalidRequest,
    Unavailable,
    VersionMismatch,
    WrongState,
)
from countersign_core.reasons import Reason


def test_the_picture_in_the_docstring_shows_every_class():
    classes = [
        name
        for name, thing in vars(errors).items()
        if isinstance(thing, type) and issubclass(thing, CountersignError)
    ]
    for name in classes:
        assert name in errors.__doc__


def test_wrong_state_carries_the_current_and_the_allowed_states():
    error = WrongState(
        Reason.WRONG_STATE, "no", current="NEW", allowed={"READY", "APPROVED"}, draft="d"
    )
    assert error.metadata == {"current": "NEW", "allowed": "APPROVED,READY", "draft": "d"}


def test_a_version_mismatch_names_both_versions():
    error = VersionMismatch(expected=3, current=4)
    assert error.reason is Reason.VERSION_MISMATCH
    assert error.metadata == {"expected_version": "3", "current_version": "4"}
    assert str(error) == "Changed since version 3 (current: 4)"


@pytest.mark.parametrize(
    ("count", "ending"), [(1, "f0: bad"), (3, "f2: bad"), (5, "f2: bad (and 2 more)")]
)
def test_a_malformed_request_lists_all_and_tells_the_first(count, ending):
    error = InvalidRequest(FieldError(f"f{number}", "bad") for number in range(count))
    assert error.reason is Reason.VALIDATION_FAILED
    assert len(error.field_errors) == count
    assert error.message.endswith(ending)


def test_unavailable_says_when_to_come_back():
    assert Unavailable("away").retry_after_seconds == 1.0
    assert Unavailable("away", retry_after_seconds=7).retry_after_seconds == 7


def test_an_error_has_no_fields_and_no_delay_of_its_own():
    error = CountersignError(Reason.INTERNAL, "Internal error")
    assert (error.field_errors, error.retry_after_seconds, error.metadata) == ((), None, {})
