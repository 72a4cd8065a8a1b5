"""ExportEvents over real gRPC on a real database."""

import asyncio
import json
from datetime import timedelta
from uuid import uuid4

import grpc.aio
import pytest

from countersign.audit.v1 import audit_service_pb2 as pb
from countersign.audit.v1.audit_service_pb2_grpc import AuditServiceStub
from countersign_audit.commands import export_events
from countersign_audit.event import Link
from countersign_audit.messages import message_of, timestamp_of
from countersign_core.errors import CountersignError, Forbidden, InvalidRequest
from countersign_core.reasons import Reason
from countersign_core.roles import READERS, Role
from countersign_platform.rpc.status import error_from_rpc

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    monkeypatch.setattr(export_events, "ROWS", 4)
    monkeypatch.setattr(export_events, "WINDOW", 10)


def events_in(pieces):
    return [event for piece in pieces for event in piece.events]


async def test_an_export_holds_every_event_once_oldest_first(audit, org_id, make_event, store):
    await audit.append(*(make_event() for _ in range(25)), make_event(org_id=uuid4()))
    pieces = await audit.export(org_id)
    links = await store.links(org_id, 1, 25)
    assert events_in(pieces) == [message_of(link) for link in links]
    assert [piece.HasField("end") for piece in pieces] == [False] * (len(pieces) - 1) + [True]
    assert {piece.up_to_seq for piece in pieces} == {25}
    head = links[-1].hash.hex()
    assert pieces[-1].end == pb.ExportEnd(
        count=25, last_seq=25, last_hash=head, head_seq=25, head_hash=head
    )


async def test_an_export_of_nothing_still_ends(audit, org_id):
    [piece] = await audit.export(org_id)
    assert piece.end == pb.ExportEnd(head_hash="0" * 64)


async def test_an_export_is_on_record_once_and_not_in_itself(audit, org_id, make_event, store):
    await audit.append(make_event())
    await audit.export(org_id, Role.INTEGRATOR, actions=["DRAFT_APPROVED"])
    assert len(events_in(await audit.export(org_id))) == 2
    _, first, second = await store.links(org_id, 1, 9)
    assert {first.event.action, second.event.action} == {"AUDIT_EXPORTED"}
    assert (first.event.entity_type, first.event.entity_id) == ("audit_trail", str(org_id))
    assert json.loads(first.event.after_json) == {
        "after_seq": 0,
        "filters": {"actions": ["DRAFT_APPROVED"]},
        "up_to_seq": 1,
    }
    assert json.loads(second.event.after_json)["up_to_seq"] == 2


@pytest.mark.parametrize("broken_at", [0, 1, 4, 13, 24, 25])
async def test_a_stream_goes_on_after_any_event(audit, org_id, make_event, broken_at):
    """What was received before and what comes now is the whole export."""
    await audit.append(*(make_event() for _ in range(25)))
    whole = events_in(await audit.export(org_id, up_to_seq=25))
    rest = await audit.export(org_id, up_to_seq=25, after_seq=broken_at)
    assert whole[:broken_at] + events_in(rest) == whole
    assert rest[-1].end.count == 25 - broken_at


async def test_filters_reach_the_database(audit, org_id, make_event):
    base = make_event()
    later = base.occurred_at + timedelta(hours=1)
    await audit.append(
        base,
        make_event(action="DRAFT_PUSHED", draft_order_id=base.draft_order_id, occurred_at=later),
        make_event(actor_user_id="ann", request_id="r-9", entity_id="e-1"),
        *(make_event(actor_user_id="bob", action="DRAFT_EDITED") for _ in range(30)),
    )
    for fields, seqs in [
        ({"actions": ["DRAFT_PUSHED", "DRAFT_APPROVED"]}, [1, 2, 3]),
        ({"draft_order_id": base.draft_order_id}, [1, 2]),
        ({"entity_type": "draft_order", "entity_id": "e-1"}, [3]),
        ({"actor_user_id": "ann"}, [3]),
        ({"request_id": "r-9"}, [3]),
        ({"occurred_from": timestamp_of(later)}, [2]),
        ({"actor_user_id": "bob", "after_seq": 31}, [32, 33]),
    ]:
        pieces = await audit.export(org_id, up_to_seq=33, **fields)
        assert [event.seq for event in events_in(pieces)] == seqs, fields
        assert pieces[-1].looked_up_to_seq == 33


async def test_a_seq_on_record_twice_comes_twice_wherever_pieces_end(
    audit, org_id, make_event, owner
):
    """Else the copy would hide behind the border of two pieces."""
    await audit.append(*(make_event() for _ in range(12)))
    await owner.execute("SET session_replication_role = replica")
    await owner.execute(
        "INSERT INTO audit.events SELECT (jsonb_populate_record(e, jsonb_build_object("
        "'recorded_at', e.recorded_at + interval '1 second'))).*"
        " FROM audit.events e WHERE org_id = $1",
        org_id,
    )
    seqs = [event.seq for event in events_in(await audit.export(org_id))]
    assert seqs == sorted([*range(1, 13), *range(1, 13)])


async def test_a_link_beyond_the_head_is_shown(audit, org_id, make_event, owner):
    await audit.append(*(make_event() for _ in range(3)))
    await owner.execute("SET session_replication_role = replica")
    await owner.execute("UPDATE audit.events SET seq = 5 WHERE org_id = $1 AND seq = 3", org_id)
    pieces = await audit.export(org_id)
    # 4 is the record of this very export, which the head had not reached when it began.
    assert [event.seq for event in events_in(pieces)] == [1, 2, 4, 5]
    assert pieces[-1].end.head_seq == 3


async def test_large_states_are_cut_into_pieces_that_fit_a_message(
    audit, org_id, make_event, monkeypatch
):
    monkeypatch.setattr(export_events, "PIECE_CHARACTERS", 100)
    state = json.dumps({"text": "x" * 80})
    await audit.append(*(make_event(before_json="", after_json=state) for _ in range(6)))
    pieces = await audit.export(org_id)
    assert [len(piece.events) for piece in pieces[:-1]] == [1] * 6


@pytest.mark.parametrize(
    "fields",
    [
        {"actions": ["NO_SUCH_ACTION"]},
        {"entity_type": "draft_order"},
        {"actor_user_id": "\0"},
        {"after_seq": 5, "up_to_seq": 4},
        {"after_seq": -1},
    ],
)
async def test_a_request_that_fits_nothing_by_mistake_is_refused(audit, org_id, fields, store):
    with pytest.raises(InvalidRequest):
        await audit.export(org_id, **fields)
    assert list(await store.links(org_id, 1, 9)) == []


@pytest.mark.parametrize("role", sorted(READERS - {Role.ADMIN, Role.INTEGRATOR}))
async def test_who_only_reads_may_not_export(audit, org_id, role, store):
    with pytest.raises(Forbidden):
        await audit.export(org_id, role)
    [denied] = await store.links(org_id, 1, 9)
    assert denied.event.action == "ACCESS_DENIED"


async def test_a_caller_who_leaves_ends_the_reading(audit, org_id, make_event, monkeypatch):
    """Cancelled in the middle: nothing more is read from the database."""
    await audit.append(*(make_event() for _ in range(40)))
    reads = []
    following = export_events.ExportEvents._read

    async def slow(self, org, filters, after_seq, up_to_seq):
        reads.append(after_seq)
        if after_seq >= 8:
            await asyncio.Event().wait()
        return await following(self, org, filters, after_seq, up_to_seq)

    monkeypatch.setattr(export_events.ExportEvents, "_read", slow)
    stream = open_stream(audit, org_id)
    assert [event.seq for event in (await stream.read()).events] == [1, 2, 3, 4]
    stream.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stream.read()
    # The next call of anybody is answered: no handler is stuck.
    assert (await audit.list(org_id)).events
    assert reads[-1] <= 8


async def test_a_deadline_ends_the_stream_without_its_end(audit, org_id, make_event, monkeypatch):
    await audit.append(*(make_event() for _ in range(8)))
    monkeypatch.setattr(export_events.ExportEvents, "_read", for_ever)
    stream = open_stream(audit, org_id, timeout=0.3)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        [piece async for piece in stream]
    assert error_from_rpc(caught.value).reason is Reason.DEADLINE_EXCEEDED


async def test_a_server_that_drains_ends_the_stream_as_unavailable(
    start_replica, org_id, make_event, monkeypatch
):
    replica = await start_replica(drain_seconds=5)
    await replica.append(*(make_event() for _ in range(8)))
    monkeypatch.setattr(export_events.ExportEvents, "_read", for_ever)
    stream = open_stream(replica, org_id)
    reading = asyncio.ensure_future(stream.read())
    await asyncio.wait({reading}, timeout=0.2)
    await replica.service.stop()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await reading
    error = error_from_rpc(caught.value)
    assert isinstance(error, CountersignError)
    assert error.reason is Reason.UNAVAILABLE


async def for_ever(self, org_id, filters, after_seq, up_to_seq) -> list[Link]:
    await asyncio.Event().wait()
    return []


def open_stream(audit, org_id, timeout=30.0):
    bearer = (("authorization", f"Bearer {audit.tokens.user(org_id, Role.ADMIN)}"),)
    stub = AuditServiceStub(audit.channel)
    return stub.ExportEvents(pb.ExportEventsRequest(), metadata=bearer, timeout=timeout)
