"""Values that every reply is made of."""

import json
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp
from pydantic import ConfigDict

# For shapes whose members say what they are.
DOCUMENTED = ConfigDict(use_attribute_docstrings=True)

_MICROS_PER_SECOND = 1_000_000
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 — UTC, which is written behind it

E = TypeVar("E", bound=StrEnum)


class IssueSeverity(StrEnum):
    """How bad an issue is."""

    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


def text(value: str) -> str | None:
    """The string; null for the empty one, which is how the contracts write "not known"."""
    return value or None


def moment(value: Timestamp) -> str | None:
    """RFC 3339 in UTC ("…Z"), up to nanoseconds; null when unset."""
    seconds, nanos = value.seconds, value.nanos
    if not seconds and not nanos:
        return None
    micros, rest = divmod(nanos, 1000)
    if rest or not micros % 1000 or not 0 < micros < _MICROS_PER_SECOND:
        written: str = value.ToJsonString()
        return written
    # Six digits, as nearly every time of ours has: protobuf takes half as long again.
    return (_EPOCH + timedelta(0, seconds, micros)).isoformat() + "Z"


def line_number(value: int) -> int | None:
    """The line; null for the whole order."""
    return value or None


def named(messages: Any, members: type[E]) -> dict[int, E]:
    """Numbers of a generated enum → members of `members`: READY, not DRAFT_STATUS_READY.

    The zero value, which means "none", has no member.
    """
    numbers: dict[str, int] = dict(messages.items())
    unspecified = next(name for name, number in numbers.items() if number == 0)
    prefix = unspecified.removesuffix("UNSPECIFIED")
    return {
        number: members(name.removeprefix(prefix)) for name, number in numbers.items() if number
    }


def json_object(written: str) -> dict[str, Any] | None:
    """The object that a message carries as JSON text; null for the empty text."""
    value: dict[str, Any] | None = json.loads(written) if written else None
    return value
