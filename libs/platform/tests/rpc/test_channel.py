"""A channel carries the call along, shrinks its deadline, and repeats only what is safe."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

import grpc
import grpc.aio
import pytest

from countersign.push.v1 import push_service_pb2, push_service_pb2_grpc
from countersign_platform.auth.identity import Identity
from countersign_platform.rpc.call import Call, enter_call, leave_call
from countersign_platform.rpc.channel import _Carrier, _CarryingCallable, open_channel
from countersign_platform.telemetry.tracing import start_span_from

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
DRAFT = "6f1f8f0e-63f4-4c92-8a52-4d9f8a6f9f11"
PUSH = push_service_pb2.PushDraftRequest(draft_order_id=DRAFT)
READ = push_service_pb2.GetExportRequest(erp_export_id=DRAFT)

OWN = (
    ("authorization", "Bearer user"),
    ("x-request-id", "mine"),
    ("idempotency-key", "a"),
    ("idempotency-key", "b"),
)


class Mirror(push_service_pb2_grpc.PushServiceServicer):
    """A plain server without our interceptor: keeps what arrives, fails as often as told."""

    def __init__(self) -> None:
        self.metadata: dict[str, list] = {}
        self.remaining: float | None = None
        self.failures = 0
        self.calls = 0

    async def PushDraft(self, request, context):
        return await self._answer(context, push_service_pb2.PushDraftResponse())

    async def GetExport(self, request, context):
        return await self._answer(context, push_service_pb2.GetExportResponse())

    async def _answer(self, context, reply):
        self.calls += 1
        self.remaining = context.time_remaining()
        self.metadata = {}
        for key, value in context.invocation_metadata():
            self.metadata.setdefault(key, []).append(value)
        if self.failures:
            self.failures -= 1
            await context.abort(grpc.StatusCode.UNAVAILABLE, "not now")
        return reply


@pytest.fixture
async def mirror():
    """The servicer, listening; `mirror.target` is where."""
    server = grpc.aio.server()
    servicer = Mirror()
    push_service_pb2_grpc.add_PushServiceServicer_to_server(servicer, server)
    servicer.target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    yield servicer
    await server.stop(None)


@contextmanager
def in_call(deadline_seconds: float | None = None, user_agent: str = "Firefox") -> Iterator[None]:
    """Makes a call current, as the interceptor does."""
    deadline = None if deadline_seconds is None else time.monotonic() + deadline_seconds
    call = Call(
        method="/x/Y",
        identity=Identity("anna", frozenset(), None, ""),
        request_id="req-7",
        trace_id=TRACEPARENT[3:35],
        traceparent=TRACEPARENT,
        ip="203.0.113.9",
        user_agent=user_agent,
        deadline=deadline,
    )
    token = enter_call(call)
    try:
        yield
    finally:
        leave_call(token)


async def test_a_call_inside_a_call_carries_it_along(mirror):
    async with open_channel(mirror.target, token=lambda: "t1") as channel:
        with in_call(), start_span_from(TRACEPARENT, "test"):
            await push_service_pb2_grpc.PushServiceStub(channel).PushDraft(PUSH)
    assert mirror.metadata["authorization"] == ["Bearer t1"]
    assert mirror.metadata["x-request-id"] == ["req-7"]
    assert mirror.metadata["traceparent"] == [TRACEPARENT]
    assert mirror.metadata["x-forwarded-for-client"] == ["203.0.113.9"]
    assert mirror.metadata["x-client-user-agent"] == ["Firefox"]


async def test_the_trace_of_a_call_is_carried_without_a_span(mirror):
    async with open_channel(mirror.target) as channel:
        with in_call():
            await push_service_pb2_grpc.PushServiceStub(channel).PushDraft(PUSH)
    assert mirror.metadata["traceparent"] == [TRACEPARENT]


@pytest.mark.parametrize("agent", ["Bröwser", "a\nb", ""])
async def test_an_odd_user_agent_stays_behind_instead_of_failing_the_call(mirror, agent):
    async with open_channel(mirror.target) as channel:
        with in_call(user_agent=agent):
            await push_service_pb2_grpc.PushServiceStub(channel).PushDraft(PUSH)
    assert "x-client-user-agent" not in mirror.metadata
    assert mirror.metadata["x-request-id"] == ["req-7"]


async def test_what_a_call_brings_itself_wins(mirror):
    async with open_channel(mirror.target, token=lambda: "service") as channel:
        with in_call():
            await push_service_pb2_grpc.PushServiceStub(channel).PushDraft(PUSH, metadata=OWN)
    assert mirror.metadata["authorization"] == ["Bearer user"]
    assert mirror.metadata["x-request-id"] == ["mine"]
    assert mirror.metadata["idempotency-key"] == ["a", "b"]


async def test_outside_a_call_nothing_is_made_up(mirror):
    async with open_channel(mirror.target) as channel:
        await push_service_pb2_grpc.PushServiceStub(channel).PushDraft(PUSH)
    assert not {"authorization", "x-request-id", "x-forwarded-for-client"} & set(mirror.metadata)


async def test_the_token_is_asked_for_anew_each_time(mirror):
    tokens = iter(["one", "two"])
    async with open_channel(mirror.target, token=lambda: next(tokens)) as channel:
        stub = push_service_pb2_grpc.PushServiceStub(channel)
        await stub.PushDraft(PUSH)
        await stub.PushDraft(PUSH)
    assert mirror.metadata["authorization"] == ["Bearer two"]


async def test_a_call_without_a_deadline_gets_one(mirror):
    async with open_channel(mirror.target) as channel:
        await push_service_pb2_grpc.PushServiceStub(channel).PushDraft(PUSH)
    assert 8 < mirror.remaining < 11


async def test_the_deadline_shrinks_to_what_the_caller_has_left(mirror):
    async with open_channel(mirror.target) as channel:
        stub = push_service_pb2_grpc.PushServiceStub(channel)
        with in_call(deadline_seconds=5):
            await stub.PushDraft(PUSH)
            assert 1.5 < mirror.remaining < 5.5
            await stub.PushDraft(PUSH, timeout=100)
            assert 1.5 < mirror.remaining < 5.5
            await stub.PushDraft(PUSH, timeout=1)
            assert mirror.remaining < 1.5  # it travels rounded up


def test_a_stream_lasts_as_long_as_the_call_that_opened_it():
    """Alone it has no deadline; inside a call it ends with that call."""
    asked = []

    def inner(request, *, timeout, metadata):
        asked.append(timeout)

    stream = _CarryingCallable(inner, _Carrier(token=None), default_timeout=None)
    stream(PUSH)
    stream(PUSH, timeout=3)
    with in_call(deadline_seconds=5):
        stream(PUSH)
    assert asked[:2] == [None, 3]
    assert 3 < asked[2] <= 5


async def test_no_call_goes_out_after_the_deadline(mirror):
    async with open_channel(mirror.target) as channel:
        with in_call(deadline_seconds=-1), pytest.raises(grpc.aio.AioRpcError) as caught:
            await push_service_pb2_grpc.PushServiceStub(channel).PushDraft(PUSH)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert mirror.calls == 0


async def test_a_safe_method_is_repeated_when_the_server_is_away(mirror):
    mirror.failures = 2
    safe = ["/countersign.push.v1.PushService/GetExport"]
    async with open_channel(mirror.target, safe_methods=safe) as channel:
        await push_service_pb2_grpc.PushServiceStub(channel).GetExport(READ)
    assert mirror.calls == 3


async def test_any_other_method_is_tried_once(mirror):
    mirror.failures = 1
    safe = ["/countersign.push.v1.PushService/GetExport"]
    async with open_channel(mirror.target, safe_methods=safe) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await push_service_pb2_grpc.PushServiceStub(channel).PushDraft(PUSH)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert mirror.calls == 1


async def test_opening_a_channel_needs_no_server():
    async with open_channel("127.0.0.1:1") as channel:
        assert channel.get_state() is grpc.ChannelConnectivity.IDLE


async def test_a_channel_says_when_it_is_ready(mirror):
    async with open_channel(mirror.target) as channel:
        await asyncio.wait_for(channel.channel_ready(), 60)
        assert channel.get_state() is grpc.ChannelConnectivity.READY
