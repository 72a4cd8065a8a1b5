"""Connection test results on the wire, to and from how they are stored."""

import math
from collections.abc import Mapping
from typing import Any

from countersign.push.v1 import connection_service_pb2 as pb
from countersign_push.connection_test_result import StoredResult
from countersign_push.plain_text import plain


def to_stored(result: pb.ConnectionTestResult) -> StoredResult:
    """The result as JSON; a worker's words are made storable, and NaN becomes 0."""
    return {
        "ok": result.ok,
        "failure": plain(result.failure),
        "message": plain(result.message),
        "steps": [
            {
                "name": plain(step.name),
                "ok": step.ok,
                "detail": plain(step.detail),
                "duration_ms": _finite(step.duration_ms),
            }
            for step in result.steps
        ],
        "capabilities": {plain(k): plain(v) for k, v in result.capabilities.items()},
        "clock_difference_ms": _finite(result.clock_difference_ms),
    }


def to_message(stored: Mapping[str, Any]) -> pb.ConnectionTestResult:
    """The stored result on the wire."""
    return pb.ConnectionTestResult(
        ok=stored["ok"],
        failure=stored["failure"],
        message=stored["message"],
        steps=[pb.ConnectionTestStep(**step) for step in stored["steps"]],
        capabilities=stored["capabilities"],
        clock_difference_ms=stored["clock_difference_ms"],
    )


def _finite(value: float) -> float:
    return value if math.isfinite(value) else 0.0
