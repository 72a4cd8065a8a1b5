"""What PostgreSQL hashes when it writes is what Python hashes from what it reads."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from countersign_audit.commands.append_events import EARLIEST, LATEST
from countersign_audit.event import Event

pytestmark = pytest.mark.integration

# Everything that a protobuf string can hold but NUL, which an append refuses.
texts = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=20)
# Whatever decomposes, has no width, or means something to SQL or to netstrings.
awkward = st.sampled_from(
    [
        *("é", "e\u0301", "ﬁ", "İ", "\u200b", "\ufeff", "\U0010ffff", "\x01", "\x7f", "\u2028"),
        *("\\", "\\x00", "'", '"', "%s", "$1", "1:a,", ",", "\r\n", " ", "{}", "NULL", "infinity"),
    ]
)
fields = texts | awkward
naive = {"min_value": EARLIEST.replace(tzinfo=None), "max_value": LATEST.replace(tzinfo=None)}
moments = st.datetimes(**naive, timezones=st.just(UTC)) | st.sampled_from(
    [EARLIEST, LATEST, datetime(2000, 2, 29, 0, 0, 0, 1, tzinfo=UTC)]
)
acts = st.fixed_dictionaries(
    {
        "event_id": st.uuids(),
        "occurred_at": moments,
        "action": st.sampled_from(["DRAFT_APPROVED", "EXPORT_ACKED"]),
        **dict.fromkeys(
            [
                *("actor_user_id", "entity_type", "entity_id", "draft_order_id", "request_id"),
                *("trace_id", "ip", "user_agent", "before_json", "after_json"),
            ],
            fields,
        ),
    }
)


@settings(
    max_examples=60,
    deadline=None,
    # One database for all examples: each takes an org of its own.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(acts, min_size=1, max_size=12, unique_by=lambda act: act["event_id"]))
async def test_any_event_survives_the_round_trip(store, verify_chain, given_acts):
    org_id = uuid4()
    events = [Event(org_id=org_id, **act) for act in given_acts]
    await store.append(events)
    assert [link.event for link in await store.links(org_id, 1, len(events))] == events
    verdict = await verify_chain(org_id, 0, 0)
    assert (verdict.flaw, verdict.checked) == (None, len(events))


async def test_the_time_zone_of_a_session_does_not_matter(
    store, owner, org_id, make_event, verify_chain
):
    await owner.execute("SET timezone = 'Asia/Kathmandu'; SET datestyle = 'German'")
    event = make_event()
    names = [name for name in Event.__slots__ if name not in ("org_id", "event_id", "occurred_at")]
    head = [[event.org_id], [event.event_id], [event.occurred_at]]
    await owner.execute(
        f"SELECT audit.append_events({', '.join(f'${n}' for n in range(1, 15))})",
        *head,
        *([getattr(event, name)] for name in names),
    )
    assert (await verify_chain(org_id, 0, 0)).flaw is None
    assert (await store.links(org_id, 1, 1))[0].event == event
