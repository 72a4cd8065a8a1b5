"""Contract messages to events and back."""

from datetime import UTC, datetime

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from countersign.audit.v1 import audit_service_pb2 as pb
from countersign_audit.event import Link
from countersign_audit.messages import (
    events_of,
    filters_of,
    message_of,
    moment_of,
    timestamp_of,
)
from countersign_core.errors import InvalidRequest


def test_an_event_comes_back_as_it_went(make_event):
    event = make_event()
    message = message_of(Link(event, 3, bytes(32), b"\2" * 32))
    assert events_of(pb.AppendEventsRequest(events=[message])) == [event]
    assert (message.seq, message.prev_hash, message.hash) == (3, "00" * 32, "02" * 32)


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_moment_comes_back_to_the_microsecond(moment):
    assert moment_of(timestamp_of(moment)) == moment


def test_what_is_finer_than_a_microsecond_is_cut_off():
    assert moment_of(Timestamp(seconds=1, nanos=1999)).microsecond == 1
    assert moment_of(Timestamp(seconds=-1, nanos=1_999)) == datetime(
        1969, 12, 31, 23, 59, 59, 1, tzinfo=UTC
    )


@pytest.mark.parametrize(
    "timestamp",
    [
        Timestamp(seconds=2**62),
        Timestamp(seconds=-(2**62)),
        Timestamp(seconds=253402300800),
        Timestamp(nanos=-1),
        Timestamp(nanos=1_000_000_000),
    ],
)
def test_a_timestamp_that_is_no_moment_is_named_by_its_index(make_event, timestamp):
    good = message_of(Link(make_event(), 1, bytes(32), bytes(32)))
    bad = pb.AuditEvent(event_id=good.event_id, org_id=good.org_id, occurred_at=timestamp)
    with pytest.raises(InvalidRequest) as refusal:
        events_of(pb.AppendEventsRequest(events=[good, bad]))
    assert [error.field for error in refusal.value.field_errors] == ["events[1].occurred_at"]
    with pytest.raises(InvalidRequest) as refusal:
        filters_of(pb.ListEventsRequest(occurred_to=timestamp))
    assert [error.field for error in refusal.value.field_errors] == ["occurred_to"]
