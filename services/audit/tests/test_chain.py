"""The canonical form and the hashes made of it."""

import hashlib
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign_audit.chain import GENESIS_HASH, canonical_form, link_hash, timestamp_text
from countersign_audit.event import Event

EVENT = Event(
    org_id=UUID("6f9619ff-8b86-d011-b42d-00c04fc964ff"),
    event_id=UUID("7d444840-9dc0-11d1-b245-5ffdce74fad2"),
    occurred_at=datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
    actor_user_id="user-1",
    action="DRAFT_APPROVED",
    entity_type="draft_order",
    entity_id="d-1",
    draft_order_id="d-1",
    after_json='{"by":"Zoë"}',
)
OTHER = {
    UUID: UUID("00000000-0000-0000-0000-000000000001"),
    datetime: EVENT.occurred_at + timedelta(microseconds=1),
    str: "other",
}


def test_the_form_is_what_the_decision_record_shows():
    assert canonical_form(EVENT, 7) == (
        b"20:countersign-audit-v1,"
        b"36:6f9619ff-8b86-d011-b42d-00c04fc964ff,"
        b"1:7,"
        b"36:7d444840-9dc0-11d1-b245-5ffdce74fad2,"
        b"27:2026-03-01T09:30:00.000000Z,"
        b"6:user-1,14:DRAFT_APPROVED,11:draft_order,3:d-1,3:d-1,"
        b"0:,0:,0:,0:,"
        b"0:,13:" + '{"by":"Zoë"},'.encode()
    )


def test_a_link_is_the_sha256_of_the_hash_before_and_the_form():
    expected = hashlib.sha256(bytes(32) + canonical_form(EVENT, 1)).digest()
    assert link_hash(GENESIS_HASH, EVENT, 1) == expected


@pytest.mark.parametrize("field", fields(Event), ids=lambda field: field.name)
def test_every_field_is_covered(field):
    changed = replace(EVENT, **{field.name: OTHER[field.type]})
    assert canonical_form(changed, 1) != canonical_form(EVENT, 1)


def test_seq_and_the_hash_before_are_covered():
    assert link_hash(GENESIS_HASH, EVENT, 1) != link_hash(GENESIS_HASH, EVENT, 2)
    assert link_hash(GENESIS_HASH, EVENT, 1) != link_hash(b"\1" * 32, EVENT, 1)


texts = st.text(st.characters(blacklist_categories=["Cs"]), max_size=6) | st.sampled_from(
    ["1:", ",", "0:,", "1:a,", ":"]
)


@given(st.lists(texts, min_size=4, max_size=4), st.lists(texts, min_size=4, max_size=4))
def test_no_two_events_share_a_form(ours, theirs):
    """Text cannot slip from one field into the next, whatever it contains."""
    names = ["entity_type", "entity_id", "draft_order_id", "request_id"]
    one = replace(EVENT, **dict(zip(names, ours, strict=True)))
    two = replace(EVENT, **dict(zip(names, theirs, strict=True)))
    assert (canonical_form(one, 1) == canonical_form(two, 1)) == (one == two)


def test_a_moment_has_one_spelling_whatever_its_zone():
    moment = datetime(2026, 3, 1, 10, 30, 0, 5, tzinfo=timezone(timedelta(hours=1)))
    assert timestamp_text(moment) == "2026-03-01T09:30:00.000005Z"


def test_years_have_four_digits():
    assert timestamp_text(datetime(1, 1, 1, tzinfo=UTC)) == "0001-01-01T00:00:00.000000Z"
