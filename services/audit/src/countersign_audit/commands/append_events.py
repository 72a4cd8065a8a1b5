"""Append: events of any orgs, each recorded once."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime

from countersign_audit.event import Event
from countersign_audit.metrics import ALREADY_KNOWN, APPEND_SECONDS, BATCH_SIZE, EVENTS
from countersign_audit.ports import EventLog
from countersign_core.audit_actions import AuditAction
from countersign_core.errors import FieldError, InvalidRequest

# asyncpg sends the first and the last moment that Python knows as -infinity and infinity.
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(9998, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)

_TEXT_FIELDS = tuple(field.name for field in fields(Event) if field.type is str)
_JSON_FIELDS = ("before_json", "after_json")


@dataclass(frozen=True, slots=True)
class Appended:
    """How many events a call wrote, and how many were on record before it (or twice in it)."""

    appended: int
    already_known: int


class AppendEvents:
    """Writes a batch: all of it, or nothing."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    async def __call__(self, events: Sequence[Event]) -> Appended:
        """Records what is not on record yet.

        Raises:
            InvalidRequest: events that no trail can hold; each field error begins with
                `events[index]`, so that the sender can set them aside and send the others.
        """
        if errors := list(_field_errors(events)):
            raise InvalidRequest(errors)
        with APPEND_SECONDS.time():
            new_by_action = await self._log.append(events)
        for action, count in new_by_action.items():
            EVENTS.labels(action).inc(count)
        appended = sum(new_by_action.values())
        ALREADY_KNOWN.inc(len(events) - appended)
        BATCH_SIZE.observe(len(events))
        return Appended(appended, len(events) - appended)


def _field_errors(events: Sequence[Event]) -> Iterator[FieldError]:
    for index, event in enumerate(events):
        for name, problem in _problems(event):
            yield FieldError(f"events[{index}].{name}", problem)


def _problems(event: Event) -> Iterator[tuple[str, str]]:
    if event.action not in AuditAction.__members__:
        yield "action", f"{event.action} is not an action of the audit trail"
    if not EARLIEST <= event.occurred_at <= LATEST:
        yield "occurred_at", f"must lie between {EARLIEST.year} and {LATEST.year}"
    for name in _TEXT_FIELDS:
        if "\0" in getattr(event, name):  # PostgreSQL's text cannot hold it
            yield name, "must not contain the character NUL"
    for name in _JSON_FIELDS:
        text = getattr(event, name)
        if text and not _is_json_object(text):
            yield name, "must be a JSON object, or empty"


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
