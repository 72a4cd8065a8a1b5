"""AppendEvents over real gRPC on a real database: who may, once only, all or nothing."""

import asyncio
import random
import time
from uuid import uuid4

import pytest

from countersign.audit.v1 import audit_service_pb2 as pb
from countersign_audit.event import Link
from countersign_audit.messages import message_of
from countersign_core.errors import CountersignError, Forbidden, InvalidRequest
from countersign_core.reasons import Reason
from countersign_core.roles import Role
from countersign_platform.outbox.audit_record import NO_ORG

pytestmark = pytest.mark.integration

ORGS = 5
APPENDERS = 8


async def test_an_append_again_is_known(audit, org_id, make_event):
    first, second = make_event(), make_event()
    reply = await audit.append(first, second, first)
    assert (reply.appended, reply.already_known) == (2, 1)
    reply = await audit.append(second, make_event())
    assert (reply.appended, reply.already_known) == (1, 1)
    assert len((await audit.list(org_id)).events) == 3


async def test_what_was_sent_is_what_is_listed(audit, org_id, make_event):
    event = make_event()
    await audit.append(event)
    (listed,) = (await audit.list(org_id)).events
    sent = message_of(Link(event, 1, bytes(32), bytes.fromhex(listed.hash)))
    assert listed == sent


async def test_seq_and_hashes_that_are_sent_are_ignored(audit, org_id, make_event):
    message = message_of(Link(make_event(), 99, b"\1" * 32, b"\2" * 32))
    request = pb.AppendEventsRequest(events=[message])
    await audit.call("AppendEvents", request, audit.tokens.service(Role.RELAY))
    (listed,) = (await audit.list(org_id)).events
    assert (listed.seq, listed.prev_hash) == (1, "00" * 32)


async def test_a_bad_event_is_named_and_its_batch_is_not_written(audit, org_id, make_event):
    with pytest.raises(InvalidRequest) as refusal:
        await audit.append(make_event(), make_event(action="DRAFT_TELEPORTED"), make_event())
    assert [error.field for error in refusal.value.field_errors] == ["events[1].action"]
    assert not (await audit.list(org_id)).events


async def test_the_rules_of_the_contract_name_the_event_too(audit, make_event):
    bad = message_of(Link(make_event(), 0, b"", b""))
    bad.org_id = "none"
    bad.ClearField("occurred_at")
    request = pb.AppendEventsRequest(events=[message_of(Link(make_event(), 0, b"", b"")), bad])
    with pytest.raises(InvalidRequest) as refusal:
        await audit.call("AppendEvents", request, audit.tokens.service(Role.RELAY))
    named = {error.field for error in refusal.value.field_errors}
    assert named == {"events[1].org_id", "events[1].occurred_at"}


@pytest.mark.parametrize("size", [0, 1001])
async def test_a_batch_has_one_to_a_thousand_events(audit, make_event, size):
    with pytest.raises(InvalidRequest):
        await audit.append(*(make_event() for _ in range(size)))


async def test_the_largest_batch_is_taken(audit, make_event):
    assert (await audit.append(*(make_event() for _ in range(1000)))).appended == 1000


@pytest.mark.parametrize("role", [Role.ADMIN, Role.INTEGRATOR, Role.OPERATOR, Role.VIEWER])
async def test_no_person_may_append(audit, org_id, make_event, role):
    """Not even an ADMIN: what people did is written by the service that saw them do it."""
    token = audit.tokens.user(org_id, role)
    request = pb.AppendEventsRequest(events=[message_of(Link(make_event(), 0, b"", b""))])
    with pytest.raises(Forbidden) as refusal:
        await audit.call("AppendEvents", request, token)
    assert refusal.value.reason is Reason.ROLE_REQUIRED


async def test_a_worker_may_not_append(audit, make_event):
    with pytest.raises(Forbidden):
        await audit.append(make_event(), role=Role.WORKER)


async def test_without_a_token_nobody_may(audit):
    for method, request in [
        ("AppendEvents", pb.AppendEventsRequest()),
        ("ListEvents", pb.ListEventsRequest()),
        ("VerifyChain", pb.VerifyChainRequest()),
    ]:
        with pytest.raises(CountersignError) as refusal:
            await audit.call(method, request, None)
        assert refusal.value.reason is Reason.UNAUTHENTICATED


async def test_a_refusal_is_on_the_org_s_own_trail(audit, org_id):
    token = audit.tokens.user(org_id, Role.VIEWER, subject="vera")
    metadata = (
        ("x-request-id", "request-7"),
        ("x-forwarded-for-client", "198.51.100.4"),
        ("x-client-user-agent", "Firefox"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    )
    for _ in range(2):
        with pytest.raises(Forbidden):
            await audit.call("VerifyChain", pb.VerifyChainRequest(), token, metadata)
    newest, older = (await audit.list(org_id)).events
    assert newest.event_id != older.event_id
    assert (newest.action, newest.actor_user_id) == ("ACCESS_DENIED", "vera")
    assert (newest.entity_type, newest.entity_id) == (
        "rpc",
        "/countersign.audit.v1.AuditService/VerifyChain",
    )
    assert newest.after_json == '{"allowed_roles":["ADMIN","INTEGRATOR"],"roles":["VIEWER"]}'
    assert (newest.request_id, newest.ip, newest.user_agent) == (
        "request-7",
        "198.51.100.4",
        "Firefox",
    )
    assert newest.trace_id == "0af7651916cd43dd8448eb211c80319c"
    assert abs(newest.occurred_at.seconds - time.time()) < 60


async def test_a_refused_service_is_on_the_trail_of_no_org(audit, store, make_event):
    with pytest.raises(Forbidden):
        await audit.append(make_event(), role=Role.WORKER)
    (link,) = await store.links(NO_ORG, 1, 10)
    assert (link.event.action, link.event.actor_user_id) == ("ACCESS_DENIED", "")


async def test_concurrent_appends_leave_no_gap_no_fork_and_no_duplicate(
    start_replica, owner, make_event
):
    """Eight relays send the same events of five orgs to two replicas, in other orders and cuts."""
    replicas = [await start_replica(), await start_replica()]
    orgs = [uuid4() for _ in range(ORGS)]
    events = [make_event(org_id=orgs[n % ORGS]) for n in range(600)]

    async def relay(number: int) -> int:
        chance = random.Random(number)
        mine = chance.sample(events, len(events))
        appended = 0
        while mine:
            size = chance.randint(1, 60)
            batch, mine = mine[:size], mine[size:]
            appended += (await replicas[number % 2].append(*batch)).appended
        return appended

    assert sum(await asyncio.gather(*map(relay, range(APPENDERS)))) == len(events)
    for org in orgs:
        verdict = await replicas[0].verify(org)
        assert (verdict.valid, verdict.checked) == (True, len(events) // ORGS)
    assert await owner.fetchval("SELECT count(DISTINCT event_id) FROM audit.events") == len(events)
    assert await owner.fetchval("SELECT count(*) FROM audit.event_ids") == len(events)


async def test_the_speed_of_appending_is_reported(start_replica, make_event, record_property):
    """A rough figure for whoever reads the report; nothing is asserted about it."""
    replicas = [await start_replica(), await start_replica()]
    orgs = [uuid4() for _ in range(50)]
    batches = [[make_event(org_id=random.choice(orgs)) for _ in range(500)] for _ in range(20)]
    started = time.perf_counter()

    async def relay(number: int) -> None:
        for batch in batches[number::4]:
            assert (await replicas[number % 2].append(*batch)).appended == len(batch)

    await asyncio.gather(*map(relay, range(4)))
    seconds = time.perf_counter() - started
    record_property("audit_events_per_second", round(10_000 / seconds))
    print(f"\n10,000 events, 50 orgs, batches of 500: {10_000 / seconds:,.0f}/s")  # noqa: T201
