"""A refusal inside a batch's reply is what it was on the other side."""

import pytest

from countersign.errors.v1 import errors_pb2
from countersign_core.errors import CountersignError
from countersign_core.reasons import Reason
from countersign_platform.rpc.problem import error_of, problem_of


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_comes_over_with_what_goes_with_it(reason: Reason) -> None:
    there = error_of(problem_of(CountersignError(reason, "Why", current="PUSHED")))
    assert (there.reason, there.message, there.metadata) == (reason, "Why", {"current": "PUSHED"})


def test_a_reason_that_is_newer_than_this_program_is_internal() -> None:
    assert error_of(errors_pb2.Problem(message="?")).reason is Reason.INTERNAL
