"""Spans say what happened: a refusal is its status and no crash, a crash is recorded once."""

from uuid import uuid4

import grpc
import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from countersign.approval.v1 import approval_service_pb2, approval_service_pb2_grpc
from countersign.push.v1 import push_service_pb2, push_service_pb2_grpc
from countersign_core.errors import CountersignError, Unavailable
from countersign_core.reasons import Reason
from countersign_platform.rpc.call import current_call
from countersign_platform.rpc.channel import open_channel
from countersign_platform.settings import ProcessSettings
from countersign_platform.telemetry.tracing import (
    configure_tracing,
    current_traceparent,
    start_span_from,
)

GOOD = push_service_pb2.PushDraftRequest(draft_order_id=str(uuid4()))
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE_ID}-b7ad6b7169203331-01"


class Servicer(push_service_pb2_grpc.PushServiceServicer):
    """Raises `error` if there is one; remembers the trace it ran in."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.traces: list[tuple[str, str | None]] = []

    async def PushDraft(self, request, context):
        self.traces.append((current_call().trace_id, current_traceparent()))
        if self.error is not None:
            raise self.error
        return push_service_pb2.PushDraftResponse()


class Stream(approval_service_pb2_grpc.ApprovalServiceServicer):
    async def WatchDrafts(self, request, context):
        yield approval_service_pb2.WatchDraftsResponse(cursor="1")
        raise CountersignError(Reason.PAGE_TOKEN_INVALID, "no")


@pytest.fixture
def spans():
    """Every finished span, as an exporter would get it."""
    exporter = InMemorySpanExporter()
    stop = configure_tracing(ProcessSettings(), "test", processor=SimpleSpanProcessor(exporter))
    yield exporter
    stop()


@pytest.fixture
async def servicer() -> Servicer:
    return Servicer()


def server_span(spans):
    (span,) = [s for s in spans.get_finished_spans() if s.kind is SpanKind.SERVER]
    return span


def client_span(spans):
    (span,) = [s for s in spans.get_finished_spans() if s.kind is SpanKind.CLIENT]
    return span


def exceptions_on(span) -> list:
    return [event for event in span.events if event.name == "exception"]


async def push(running) -> grpc.StatusCode:
    stub = await running.push_stub()
    try:
        await stub.PushDraft(GOOD, metadata=(("traceparent", TRACEPARENT),))
    except grpc.aio.AioRpcError as error:
        return error.code()
    return grpc.StatusCode.OK


async def test_client_and_server_share_the_trace(spans, serve, servicer):
    await push(await serve(servicer))
    client, server = client_span(spans), server_span(spans)
    assert server.context.trace_id == client.context.trace_id
    assert server.parent.span_id == client.context.span_id
    ((trace_id, traceparent),) = servicer.traces
    assert trace_id == f"{server.context.trace_id:032x}"
    assert f"{server.context.span_id:016x}" in traceparent


async def test_a_refusal_has_its_status_and_is_no_exception(spans, serve, servicer):
    """The instrumentation alone would say OK (0) and record the refusal as two exceptions."""
    servicer.error = CountersignError(Reason.DRAFT_NOT_FOUND, "Draft not found")
    assert await push(await serve(servicer)) is grpc.StatusCode.NOT_FOUND
    span = server_span(spans)
    assert span.attributes["rpc.grpc.status_code"] == grpc.StatusCode.NOT_FOUND.value[0]
    assert exceptions_on(span) == []
    assert span.status.status_code is StatusCode.UNSET, "the caller's fault is no server error"


async def test_a_call_without_a_token_has_its_status(spans, serve, servicer):
    running = await serve(servicer)
    stub = push_service_pb2_grpc.PushServiceStub(await running.bare_channel())
    with pytest.raises(grpc.aio.AioRpcError):
        await stub.PushDraft(GOOD)
    span = server_span(spans)
    assert span.attributes["rpc.grpc.status_code"] == grpc.StatusCode.UNAUTHENTICATED.value[0]
    assert exceptions_on(span) == []


async def test_a_server_behind_that_is_away_is_an_error_but_no_exception(spans, serve, servicer):
    servicer.error = Unavailable("The database is away")
    await push(await serve(servicer))
    span = server_span(spans)
    assert span.status.status_code is StatusCode.ERROR
    assert exceptions_on(span) == []


async def test_a_defect_is_recorded_once(spans, serve, servicer):
    servicer.error = ZeroDivisionError("no such number")
    assert await push(await serve(servicer)) is grpc.StatusCode.INTERNAL
    span = server_span(spans)
    assert span.attributes["rpc.grpc.status_code"] == grpc.StatusCode.INTERNAL.value[0]
    assert span.status.status_code is StatusCode.ERROR
    (event,) = exceptions_on(span)
    assert event.attributes["exception.message"] == "no such number"


async def test_an_error_in_a_stream_has_its_status_and_is_no_exception(spans, serve):
    running = await serve(approval=Stream())
    stub = approval_service_pb2_grpc.ApprovalServiceStub(await running.bare_channel())
    token = ("authorization", f"Bearer {running.token()}")
    stream = stub.WatchDrafts(approval_service_pb2.WatchDraftsRequest(), metadata=(token,))
    with pytest.raises(grpc.aio.AioRpcError):
        [reply async for reply in stream]
    span = server_span(spans)
    assert span.attributes["rpc.grpc.status_code"] == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert exceptions_on(span) == []


async def test_probes_leave_no_spans(spans, serve, servicer):
    from grpc_health.v1 import health_pb2, health_pb2_grpc  # noqa: PLC0415

    running = await serve(servicer)
    await health_pb2_grpc.HealthStub(await running.bare_channel()).Check(
        health_pb2.HealthCheckRequest()
    )
    assert spans.get_finished_spans() == ()


async def test_work_goes_on_in_the_trace_of_a_stored_header(spans):
    with start_span_from(TRACEPARENT, "relay"):
        inside = current_traceparent()
    (span,) = spans.get_finished_spans()
    assert f"{span.context.trace_id:032x}" == TRACE_ID
    assert f"{span.parent.span_id:016x}" == "b7ad6b7169203331"
    assert inside == f"00-{TRACE_ID}-{span.context.span_id:016x}-01"


async def test_without_an_endpoint_the_trace_is_passed_on_as_it_came(serve, servicer):
    """No span is made, yet logs, audit and the next service know the trace."""
    await push(await serve(servicer))
    assert servicer.traces == [(TRACE_ID, TRACEPARENT)]


async def test_without_a_trace_a_new_one_begins(serve, servicer):
    running = await serve(servicer)
    await (await running.push_stub()).PushDraft(GOOD)
    ((trace_id, traceparent),) = servicer.traces
    assert traceparent.startswith(f"00-{trace_id}-")


async def test_a_call_made_inside_a_call_stays_in_its_trace(serve, servicer):
    """Front calls back; both see one trace."""
    back = await serve(servicer)
    token = back.token()

    class Front(push_service_pb2_grpc.PushServiceServicer):
        async def PushDraft(self, request, context):
            async with open_channel(back.target, token=lambda: token) as channel:
                return await push_service_pb2_grpc.PushServiceStub(channel).PushDraft(request)

    await push(await serve(Front()))
    assert servicer.traces == [(TRACE_ID, TRACEPARENT)]


def test_without_an_endpoint_stored_headers_are_carried():
    assert current_traceparent() is None
    with start_span_from(TRACEPARENT, "relay"):
        assert current_traceparent() == TRACEPARENT
    assert current_traceparent() is None


def test_an_endpoint_starts_an_exporter_and_stopping_ends_it():
    """Nothing listens there: the exporter must not block the end of the process."""
    settings = ProcessSettings(otlp_endpoint="http://127.0.0.1:1")
    stop = configure_tracing(settings, "test")
    with start_span_from(None, "not sampled by the caller, so nothing is sent"):
        assert current_traceparent() is not None
    stop()
    assert current_traceparent() is None
