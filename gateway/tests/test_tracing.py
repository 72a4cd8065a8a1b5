"""A request is one span, child of the caller's trace, named by its route."""

from typing import Any

import httpx
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from countersign.push.v1 import connection_service_pb2 as connections
from countersign_gateway.bootstrap import build

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


async def test_request_span_continues_the_callers_trace(
    gateway_settings: Any, backends: Any, token: str, spans: InMemorySpanExporter
) -> None:
    backends.answers["ListConnections"] = connections.ListConnectionsResponse()
    service = await build(gateway_settings())
    url = f"http://127.0.0.1:{await service.start()}/erp-connections"
    headers = {"Authorization": f"Bearer {token}", "traceparent": f"00-{TRACE}-{PARENT}-01"}
    try:
        async with httpx.AsyncClient() as client:
            answer = await client.get(url, headers=headers)
    finally:
        await service.stop()
    found = {span.name: span for span in spans.get_finished_spans()}
    span = found["GET /erp-connections"]
    assert span.context is not None
    assert span.parent is not None
    assert f"{span.context.trace_id:032x}" == TRACE
    assert f"{span.parent.span_id:016x}" == PARENT
    assert span.attributes is not None
    assert span.attributes["http.response.status_code"] == 200
    assert answer.headers["traceparent"].split("-")[1] == TRACE
    [sent] = backends.last.values("traceparent")
    assert sent.split("-")[1] == TRACE
