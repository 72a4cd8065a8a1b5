"""A refusal of one of many, where the others were served."""

from countersign.errors.v1 import errors_pb2
from countersign_core.errors import CountersignError


def problem(error: CountersignError) -> errors_pb2.Problem:
    """What the caller of a batch hears of it."""
    return errors_pb2.Problem(
        reason=errors_pb2.ErrorReason.Value(f"ERROR_REASON_{error.reason}"),
        message=error.message,
        metadata=error.metadata,
    )
