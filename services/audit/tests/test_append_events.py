"""Append: what is refused, and what is counted."""

from datetime import UTC, datetime

import pytest

from countersign_audit.commands.append_events import Appended, AppendEvents
from countersign_audit.memory_trail import MemoryTrail
from countersign_core.errors import InvalidRequest


@pytest.fixture
def trail() -> MemoryTrail:
    return MemoryTrail()


async def test_events_are_counted_once(trail, make_event):
    append = AppendEvents(trail)
    first, second = make_event(), make_event()
    assert await append([first, second, first]) == Appended(appended=2, already_known=1)
    assert await append([second]) == Appended(appended=0, already_known=1)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"action": "DRAFT_TELEPORTED"}, "action"),
        ({"occurred_at": datetime.min.replace(tzinfo=UTC)}, "occurred_at"),
        ({"occurred_at": datetime.max.replace(tzinfo=UTC)}, "occurred_at"),
        ({"actor_user_id": "a\0b"}, "actor_user_id"),
        ({"after_json": '{"a":'}, "after_json"),
        ({"before_json": "[1]"}, "before_json"),
        ({"before_json": "[" * 100_000}, "before_json"),
    ],
)
async def test_an_event_no_trail_can_hold_is_named_and_nothing_is_written(
    trail, make_event, fields, named
):
    """The relay sets the named events aside and sends the others again."""
    with pytest.raises(InvalidRequest) as refusal:
        await AppendEvents(trail)([make_event(), make_event(**fields)])
    assert [error.field for error in refusal.value.field_errors] == [f"events[1].{named}"]
    assert not trail.chains


async def test_every_bad_event_of_a_batch_is_named(trail, make_event):
    with pytest.raises(InvalidRequest) as refusal:
        await AppendEvents(trail)([make_event(action="A_B_C"), make_event(action="D_E_F")])
    assert [error.field for error in refusal.value.field_errors] == [
        "events[0].action",
        "events[1].action",
    ]
