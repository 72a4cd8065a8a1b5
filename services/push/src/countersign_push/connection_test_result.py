"""What a connection test found, as it is stored.

A JSON object: ok, failure, message, steps (name, ok, detail, duration_ms), capabilities,
clock_difference_ms; the fields mean what ConnectionTestResult says in the contract.
"""

from collections.abc import Mapping
from typing import Any

StoredResult = dict[str, Any]


def not_begun(failure: str, message: str) -> StoredResult:
    """The result of a test that could not even start."""
    return {
        "ok": False,
        "failure": failure,
        "message": message,
        "steps": [],
        "capabilities": {},
        "clock_difference_ms": 0.0,
    }


def failed_step(stored: Mapping[str, Any]) -> str:
    """Name of the first step that did not work; empty when all did."""
    return next((step["name"] for step in stored["steps"] if not step["ok"]), "")
