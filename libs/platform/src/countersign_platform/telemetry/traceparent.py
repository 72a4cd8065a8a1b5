"""The W3C `traceparent` header: carried along whether or not traces are exported."""

import os
import re

_PATTERN = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_NOT_SAMPLED = "00"


def new_traceparent() -> str:
    """A new trace that nobody samples."""
    return f"00-{os.urandom(16).hex()}-{os.urandom(8).hex()}-{_NOT_SAMPLED}"


def accept_traceparent(value: str | None) -> str:
    """`value` when it is well-formed, else a new one."""
    if value is not None and _PATTERN.fullmatch(value):
        return value
    return new_traceparent()


def trace_id_of(traceparent: str) -> str:
    """The trace id (32 hex digits) of a well-formed header."""
    return traceparent[3:35]
