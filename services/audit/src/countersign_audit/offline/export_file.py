"""Reads an exported trail: JSON lines, or CloudEvents of them, line by line.

Strict: what the hash does not cover, and what could be read in two ways, is not let through.
"""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from countersign_audit.chain import timestamp_text
from countersign_audit.event import Event, Link

END = "end_of_export"
# An end record is far shorter.
_LONGEST_END_BYTES = 1 << 16
_HASH_BYTES = 32

_TEXTS = (
    "actor_user_id",
    "action",
    "entity_type",
    "entity_id",
    "draft_order_id",
    "request_id",
    "trace_id",
    "ip",
    "user_agent",
    "before_json",
    "after_json",
)
_MEMBERS = frozenset({"org_id", "seq", "event_id", "occurred_at", *_TEXTS, "prev_hash", "hash"})


class UnreadableLineError(ValueError):
    """A line that is no event and no end record; says why."""


@dataclass(frozen=True, slots=True)
class End:
    """What the exporting system said of its last stream: nobody signed it.

    `count` events above `after_seq` up to `up_to_seq`, the last of them `last_seq` with
    `last_hash`; the chain ended at `head_seq` with `head_hash`. Hashes are hex.
    """

    org_id: str
    after_seq: int
    up_to_seq: int
    count: int
    last_seq: int
    last_hash: str
    head_seq: int
    head_hash: str
    filters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its number from 1, where it ends (bytes), and what it holds."""

    number: int
    ends_at: int
    holds: Link | End | UnreadableLineError


def lines_of(file: BinaryIO) -> Iterator[Line]:
    """Every line of the file, one at a time."""
    ends_at = 0
    for number, text in enumerate(file, start=1):
        ends_at += len(text)
        yield Line(number, ends_at, _read(text))


def end_of(path: Path) -> End | None:
    """The end record, if the file's last line is one; a line that is none is found by the walk."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _LONGEST_END_BYTES))
        tail = file.read().rstrip(b"\r\n")
    last = _read(tail[tail.rfind(b"\n") + 1 :])
    return last if isinstance(last, End) else None


def _read(text: bytes) -> Link | End | UnreadableLineError:
    try:
        return parse_line(text)
    except UnreadableLineError as error:
        return error


def parse_line(text: bytes) -> Link | End:
    """What one line holds.

    Raises:
        UnreadableLineError: neither an event nor an end record.
    """
    try:
        values = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise UnreadableLineError(f"is no JSON object: {error}") from error
    if not isinstance(values, dict):
        raise UnreadableLineError("is no JSON object")
    if "specversion" in values:
        values = _unwrapped(values)
    if values.keys() == {END}:
        return _end(values[END])
    return _link(values)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a member comes twice")
    return values


def _link(values: dict[str, Any]) -> Link:
    _require_members(values, _MEMBERS)
    texts = {name: _text(name, values[name]) for name in _TEXTS}
    event = Event(
        org_id=_uuid("org_id", values["org_id"]),
        event_id=_uuid("event_id", values["event_id"]),
        occurred_at=_moment("occurred_at", values["occurred_at"]),
        **texts,
    )
    seq = _count("seq", values["seq"])
    return Link(event, seq, _hash("prev_hash", values["prev_hash"]), _hash("hash", values["hash"]))


def _end(values: Any) -> End:
    if not isinstance(values, dict):
        raise UnreadableLineError(f"{END} is no JSON object")
    _require_members(values, frozenset({*_END_KINDS, "filters"}))
    if not isinstance(values["filters"], dict):
        raise UnreadableLineError("filters is no JSON object")
    return End(
        **{name: kind(name, values[name]) for name, kind in _END_KINDS.items()},
        filters=values["filters"],
    )


def _unwrapped(envelope: dict[str, Any]) -> dict[str, Any]:
    """The data of a CloudEvent, whose envelope must say the same as its data."""
    data = envelope.get("data")
    if not isinstance(data, dict):
        raise UnreadableLineError("is a CloudEvent without data")
    if data.keys() != {END} and envelope != _envelope(data):
        raise UnreadableLineError("is a CloudEvent whose envelope does not fit its data")
    return data


def _envelope(data: dict[str, Any]) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": data.get("event_id"),
        "source": f"urn:countersign:audit:{data.get('org_id')}",
        "type": f"countersign.audit.{data.get('action')}",
        "subject": f"{data.get('entity_type')}/{data.get('entity_id')}",
        "time": data.get("occurred_at"),
        "sequence": str(data.get("seq")).zfill(19),
        "datacontenttype": "application/json",
        "data": data,
    }


def _require_members(values: dict[str, Any], members: frozenset[str]) -> None:
    if missing := sorted(members - values.keys()):
        raise UnreadableLineError(f"has no member {missing[0]}")
    if unknown := sorted(values.keys() - members):
        raise UnreadableLineError(f"has a member that no export has: {unknown[0]!r}")


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise UnreadableLineError(f"{name} is no text")
    if max(value, default="") >= "\ud800" and not _encodes(value):
        raise UnreadableLineError(f"{name} is no Unicode text")
    return value


def _encodes(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _count(name: str, value: Any) -> int:
    if type(value) is not int or value < 0:
        raise UnreadableLineError(f"{name} is no whole number")
    return value


def _uuid(name: str, value: Any) -> UUID:
    text = _text(name, value)
    try:
        found = UUID(text)
    except ValueError as error:
        raise UnreadableLineError(f"{name} is no UUID") from error
    if str(found) != text:
        raise UnreadableLineError(f"{name} is not written as a UUID of an export")
    return found


def _moment(name: str, value: Any) -> datetime:
    text = _text(name, value)
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise UnreadableLineError(f"{name} is no time") from error
    if found.tzinfo is None or timestamp_text(found) != text:
        raise UnreadableLineError(f"{name} is not written as a time of an export")
    return found


def _hash(name: str, value: Any) -> bytes:
    text = _text(name, value)
    try:
        found = bytes.fromhex(text)
    except ValueError as error:
        raise UnreadableLineError(f"{name} is no hash") from error
    if len(found) != _HASH_BYTES or found.hex() != text:
        raise UnreadableLineError(f"{name} is not written as a hash of an export")
    return found


_END_KINDS: dict[str, Callable[[str, Any], Any]] = {
    "org_id": _text,
    "after_seq": _count,
    "up_to_seq": _count,
    "count": _count,
    "last_seq": _count,
    "last_hash": _text,
    "head_seq": _count,
    "head_hash": _text,
}
