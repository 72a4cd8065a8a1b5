"""A stop loses nothing: calls in flight finish, streams end in good order, probes know first."""

import asyncio
from uuid import uuid4

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from countersign.approval.v1 import approval_service_pb2, approval_service_pb2_grpc
from countersign.push.v1 import push_service_pb2, push_service_pb2_grpc
from countersign_core.errors import CountersignError
from countersign_core.reasons import Reason
from countersign_platform.rpc.call import current_call
from countersign_platform.rpc.status import error_from_rpc

GOOD = push_service_pb2.PushDraftRequest(draft_order_id=str(uuid4()))
WATCH = approval_service_pb2.WatchDraftsRequest()
PUSH = "countersign.push.v1.PushService"


class Slow(push_service_pb2_grpc.PushServiceServicer):
    """Begins a push and goes on when it is let."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def PushDraft(self, request, context):
        self.begun.set()
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return push_service_pb2.PushDraftResponse(erp_export_id="done")


class Watching(approval_service_pb2_grpc.ApprovalServiceServicer):
    """Streams one change, then waits for ever; says when it was closed."""

    def __init__(self) -> None:
        self.closed = asyncio.Event()
        self.last = 1

    async def WatchDrafts(self, request, context):
        if request.after_cursor == "bad":
            raise CountersignError(Reason.PAGE_TOKEN_INVALID, "no such cursor")
        try:
            for number in range(self.last):
                cursor = f"{number}:{current_call().identity.subject}"
                yield approval_service_pb2.WatchDraftsResponse(cursor=cursor)
            if request.after_cursor != "end":
                await asyncio.Event().wait()
        finally:
            self.closed.set()


async def health_of(running, service=PUSH) -> int:
    stub = health_pb2_grpc.HealthStub(await running.bare_channel())
    return (await stub.Check(health_pb2.HealthCheckRequest(service=service))).status


async def test_a_call_in_flight_finishes_while_health_says_not_serving(serve):
    servicer = Slow()
    running = await serve(servicer)
    assert await health_of(running) == health_pb2.HealthCheckResponse.SERVING
    watch = health_pb2_grpc.HealthStub(await running.bare_channel()).Watch(
        health_pb2.HealthCheckRequest(service=PUSH)
    )
    assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
    push = asyncio.ensure_future((await running.push_stub()).PushDraft(GOOD))
    await servicer.begun.wait()
    stopping = asyncio.create_task(running.server.stop())
    assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
    assert not stopping.done()
    servicer.go_on.set()
    assert (await push).erp_export_id == "done"
    await stopping


async def test_a_long_poll_is_told_that_the_server_drains(serve):
    class Polling(push_service_pb2_grpc.PushServiceServicer):
        def __init__(self) -> None:
            self.begun = asyncio.Event()
            self.server = None

        async def PushDraft(self, request, context):
            self.begun.set()
            await self.server.draining.wait()
            return push_service_pb2.PushDraftResponse(erp_export_id="nothing came")

    servicer = Polling()
    running = await serve(servicer, drain_seconds=30)
    servicer.server = running.server
    poll = asyncio.ensure_future((await running.push_stub()).PushDraft(GOOD))
    await servicer.begun.wait()
    await asyncio.wait_for(running.server.stop(), 60)
    assert (await poll).erp_export_id == "nothing came"


async def test_a_call_that_outlives_the_drain_is_cut_off(serve):
    servicer = Slow()
    running = await serve(servicer, drain_seconds=0.05)
    push = asyncio.ensure_future((await running.push_stub()).PushDraft(GOOD))
    await servicer.begun.wait()
    await running.server.stop()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await push
    assert error_from_rpc(caught.value).reason is Reason.UNAVAILABLE
    await asyncio.wait_for(servicer.cancelled.wait(), 60)


async def test_a_stream_ends_as_unavailable_when_the_server_drains(serve):
    servicer = Watching()
    running = await serve(approval=servicer, drain_seconds=30)
    stream = (await running.approval_stub()).WatchDrafts(WATCH)
    assert (await stream.read()).cursor == "0:anna"
    await asyncio.wait_for(running.server.stop(), 60)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stream.read()
    error = error_from_rpc(caught.value)
    assert error.reason is Reason.UNAVAILABLE
    assert error.retry_after_seconds == 1.0
    assert servicer.closed.is_set()


async def test_a_stream_whose_client_leaves_is_closed(serve):
    servicer = Watching()
    running = await serve(approval=servicer)
    stream = (await running.approval_stub()).WatchDrafts(WATCH)
    await stream.read()
    stream.cancel()
    await asyncio.wait_for(servicer.closed.wait(), 60)


async def test_a_stream_that_ends_by_itself_ends_ok(serve):
    servicer = Watching()
    servicer.last = 3
    running = await serve(approval=servicer)
    request = approval_service_pb2.WatchDraftsRequest(after_cursor="end")
    stream = (await running.approval_stub()).WatchDrafts(request)
    assert [reply.cursor async for reply in stream] == ["0:anna", "1:anna", "2:anna"]
    assert await stream.code() is grpc.StatusCode.OK


async def test_an_error_inside_a_stream_keeps_its_reason(serve):
    running = await serve(approval=Watching())
    request = approval_service_pb2.WatchDraftsRequest(after_cursor="bad")
    stream = (await running.approval_stub()).WatchDrafts(request)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stream.read()
    assert error_from_rpc(caught.value).reason is Reason.PAGE_TOKEN_INVALID


async def test_a_stream_needs_a_token_as_well(serve):
    running = await serve(approval=Watching())
    stub = approval_service_pb2_grpc.ApprovalServiceStub(await running.bare_channel())
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.WatchDrafts(WATCH).read()
    assert error_from_rpc(caught.value).reason is Reason.UNAUTHENTICATED


async def test_stopping_twice_is_stopping_once(serve):
    running = await serve(Slow())
    await running.server.stop()
    await running.server.stop()


async def test_health_and_reflection_need_no_token(serve):
    running = await serve(Slow())
    assert await health_of(running, "") == health_pb2.HealthCheckResponse.SERVING
    stub = reflection_pb2_grpc.ServerReflectionStub(await running.bare_channel())
    replies = stub.ServerReflectionInfo(
        iter([reflection_pb2.ServerReflectionRequest(list_services="")])
    )
    names = {service.name async for r in replies for service in r.list_services_response.service}
    assert PUSH in names


async def test_two_servers_cannot_share_a_port(serve, signing_key):
    running = await serve(Slow())
    running.server._settings.listen = running.target
    with pytest.raises(RuntimeError):
        await running.server.start()
