"""The whole service in process: sockets, relay, probes, and a stop that keeps nobody waiting."""

import asyncio
import base64
from uuid import uuid4

import aiohttp
import grpc.aio
import pytest

from countersign.audit.v1 import audit_service_pb2, audit_service_pb2_grpc
from countersign.push.v1 import push_service_pb2 as push_pb
from countersign.push.v1 import push_service_pb2_grpc, work_service_pb2, work_service_pb2_grpc
from countersign_core.roles import Role
from countersign_push.bootstrap import build
from countersign_push.settings import PushSettings

pytestmark = pytest.mark.integration


class AuditEar(audit_service_pb2_grpc.AuditServiceServicer):
    """An audit service's face that keeps what it hears; the real one has tests of its own."""

    def __init__(self) -> None:
        self.heard = []
        self.tokens = []

    async def AppendEvents(self, request, context):
        self.heard += request.events
        self.tokens += [
            value for key, value in context.invocation_metadata() if key == "authorization"
        ]
        return audit_service_pb2.AppendEventsResponse(appended=len(request.events))


@pytest.fixture
async def audit():
    """Its ear and its address."""
    ear = AuditEar()
    server = grpc.aio.server()
    audit_service_pb2_grpc.add_AuditServiceServicer_to_server(ear, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield ear, f"127.0.0.1:{port}"
    await server.stop(None)


@pytest.fixture
def settings(databases, tokens, audit):
    """No broker, no Redis, free ports."""
    return PushSettings(
        listen="127.0.0.1:0",
        probe_listen="127.0.0.1:0",
        jwks=tokens.jwks,
        database_url=databases.url_for("push"),
        service_token_file=tokens.service_file(Role.RELAY),
        audit_target=audit[1],
        secret_keys="k1:" + base64.b64encode(b"s" * 32).decode(),
        drain_seconds=2.0,
    )


@pytest.fixture
async def service(settings):
    """The service, started, and its ports."""
    built = await build(settings)
    ports = await built.start()
    yield built, ports
    await built.stop()


@pytest.fixture
async def channel(service):
    async with grpc.aio.insecure_channel(f"127.0.0.1:{service[1].rpc}") as opened:
        yield opened


def bearer(token):
    return [("authorization", f"Bearer {token}")]


async def until(condition):
    """Returns when `condition()` holds, asked again and again for ten seconds."""
    async with asyncio.timeout(60):
        while not await condition():
            await asyncio.sleep(0.02)


async def test_a_push_reaches_a_waiting_worker_and_the_audit_service(
    orders, tokens, channel, audit
):
    """Without a broker: the commit wakes the relay, and the relay wakes the worker."""
    org = uuid4()
    await orders.connection(org)
    draft = await orders.approved(org)
    worker = work_service_pb2_grpc.WorkServiceStub(channel)
    request = work_service_pb2.ClaimNextRequest(worker_id="w-1", max_assignments=1, wait_seconds=10)
    waiting = asyncio.ensure_future(
        worker.ClaimNext(request, metadata=bearer(tokens.service(Role.WORKER)), timeout=20)
    )
    stub = push_service_pb2_grpc.PushServiceStub(channel)
    reply = await stub.PushDraft(
        push_pb.PushDraftRequest(draft_order_id=str(draft)),
        metadata=bearer(tokens.user(org)),
        timeout=10,
    )
    [assignment] = (await waiting).assignments
    assert assignment.lease.export_id == reply.erp_export_id

    async def told():
        return not await orders.sql.fetchval("SELECT count(*) FROM push.outbox")

    await until(told)
    [event] = audit[0].heard
    assert (event.action, event.draft_order_id) == ("DRAFT_PUSHED", str(draft))
    assert event.HasField("occurred_at")
    assert audit[0].tokens[0].startswith("Bearer ")


async def test_a_refused_role_is_on_record(orders, tokens, channel, audit):
    org = uuid4()
    stub = push_service_pb2_grpc.PushServiceStub(channel)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub.PushDraft(
            push_pb.PushDraftRequest(draft_order_id=str(uuid4())),
            metadata=bearer(tokens.user(org, Role.VIEWER, subject="vera")),
            timeout=10,
        )
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED

    async def heard():
        return bool(audit[0].heard)

    await until(heard)
    [event] = audit[0].heard
    assert (event.action, event.actor_user_id) == ("ACCESS_DENIED", "vera")
    assert event.entity_id == "/countersign.push.v1.PushService/PushDraft"


async def test_the_probes_tell_what_is_counted(orders, tokens, channel, service):
    org = uuid4()
    await orders.connection(org)
    draft = await orders.approved(org)
    stub = push_service_pb2_grpc.PushServiceStub(channel)
    await stub.PushDraft(
        push_pb.PushDraftRequest(draft_order_id=str(draft)),
        metadata=bearer(tokens.user(org)),
        timeout=10,
    )
    base = f"http://127.0.0.1:{service[1].probe}"
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{base}/readyz") as ready:
            assert (ready.status, await ready.json()) == (200, {"ready": True, "not_ready": []})
        async with http.get(f"{base}/metrics") as metrics:
            text = await metrics.text()
    assert 'countersign_pushes_total{operation="push",outcome="pushed"}' in text


async def test_a_stop_sends_a_waiting_worker_home(settings, tokens):
    """A long poll of a minute must not hold up a roll-out."""
    built = await build(settings)
    ports = await built.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{ports.rpc}") as opened:
        worker = work_service_pb2_grpc.WorkServiceStub(opened)
        waiting = asyncio.ensure_future(
            worker.ClaimNext(
                work_service_pb2.ClaimNextRequest(
                    worker_id="w-1", max_assignments=1, wait_seconds=60
                ),
                metadata=bearer(tokens.service(Role.WORKER)),
                timeout=90,
            )
        )

        async def under_way():
            return built._server._in_flight.count

        await until(under_way)
        async with asyncio.timeout(60):
            await built.stop()
        assert not (await waiting).assignments


async def test_a_loop_that_dies_ends_the_service(settings):
    """A service whose relay is gone would look well and tell nobody anything."""
    built = await build(settings)

    async def dies():
        raise RuntimeError("the relay is gone")

    built._loops = [dies]
    await built.start()
    with pytest.raises(RuntimeError, match="the relay is gone"):
        await built.wait(asyncio.Event())
    await built.stop()


async def test_it_runs_until_it_is_told_to_stop(service):
    stop = asyncio.Event()
    waiting = asyncio.ensure_future(service[0].wait(stop))
    await asyncio.sleep(0)
    assert not waiting.done()
    stop.set()
    await waiting
