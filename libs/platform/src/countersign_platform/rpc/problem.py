"""A refusal of one of many, where the others were served: in the reply, not as its status."""

from countersign.errors.v1 import errors_pb2
from countersign_core.errors import CountersignError
from countersign_core.reasons import Reason

_PREFIX = "ERROR_REASON_"


def problem_of(error: CountersignError) -> errors_pb2.Problem:
    """What the caller of a batch hears of it."""
    return errors_pb2.Problem(
        reason=errors_pb2.ErrorReason.Value(f"{_PREFIX}{error.reason}"),
        message=error.message,
        metadata=error.metadata,
    )


def error_of(problem: errors_pb2.Problem) -> CountersignError:
    """What a batch said of one; INTERNAL for a reason that is newer than this program."""
    name = errors_pb2.ErrorReason.Name(problem.reason).removeprefix(_PREFIX)
    reason = Reason.__members__.get(name, Reason.INTERNAL)
    return CountersignError(reason, problem.message, **dict(problem.metadata))
