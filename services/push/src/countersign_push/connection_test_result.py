"""What a connection test found, as it is stored (a JSON object) and as it travels."""

import math
from collections.abc import Mapping
from typing import Any

from countersign.push.v1 import connection_service_pb2 as pb
from countersign_push.plain_text import plain

StoredResult = dict[str, Any]


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


def failed_step(stored: Mapping[str, Any]) -> str:
    """Name of the first step that did not work; empty when all did."""
    return next((step["name"] for step in stored["steps"] if not step["ok"]), "")


def _finite(value: float) -> float:
    return value if math.isfinite(value) else 0.0
