"""The hot reads, each asked twice: in front of the framework and through it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import grpc
import httpx
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from countersign.approval.v1 import approval_service_pb2 as approvals
from countersign.approval.v1 import draft_pb2 as drafts
from countersign.audit.v1 import audit_service_pb2 as audit
from countersign.push.v1 import export_pb2 as exports
from countersign.push.v1 import push_service_pb2 as pushes
from countersign_core.errors import NotFound
from countersign_core.reasons import Reason
from countersign_gateway.bootstrap import Service

ID = "5c0ffee0-abcd-4000-8000-000000000007"
MOMENT = Timestamp(seconds=1_772_357_400, nanos=123_456_000)
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

# Answered in front of the framework.
READS = [
    "/draft-orders",
    "/draft-orders?",
    "/draft-orders?page_size=25&page_token=abc",
    "/draft-orders?status=READY&sort=OLDEST&status=NEEDS_REVIEW",
    "/draft-orders?customer=M%C3%BCller+%26+Co&q=PO%2F1",
    "/draft-orders?created_from=2026-03-01T09:30:00%2B01:00&created_to=2026-04-01t00:00:00z",
    "/draft-orders?order_date_from=&order_date_to=2026-03-01",
    "/draft-orders?with_export=true",
    "/draft-orders?with_export=1&page_token=",
    "/draft-orders?export_state=HELD&q=PO",
    "/draft-orders?error_code=DISK_FULL",
    # Of a repeated parameter the last one counts.
    "/draft-orders?page_size=1&page_size=2",
    "/draft-orders?page_size=0&page_size=2",
    f"/draft-orders/{ID}",
    f"/draft-orders/{ID.upper()}",
    f"/draft-orders/{ID}?anything=goes",
]
# The same, and refused there.
REFUSED_READS = [
    "/draft-orders?page_size=501",
    "/draft-orders?page_size=",
    "/draft-orders?page_size=1&page_size=x",
    "/draft-orders?page_size=1.5&sort=newest&with_export=maybe",
    "/draft-orders?nonsense=1&status=READY&nonsense=2&other",
    "/draft-orders?=1",
    "/draft-orders?Status=READY",
    "/draft-orders?status=READY&status=NOPE&status=",
    "/draft-orders?status[]=READY",
    "/draft-orders?created_from=2026-03-01T09:30:00+01:00",
    "/draft-orders?created_from=yesterday&order_date_to=01.03.2026",
    "/draft-orders?q=%00",
    f"/draft-orders?customer={'x' * 301}&page_token={'x' * 501}",
    "/draft-orders?error_code=x&export_state=GONE",
    "/draft-orders?export_state=HELD&sort=OLDEST",
]
# What only the framework answers: method, path, more of the request.
OTHERS = [
    ("GET", "/draft-orders/counts", {}, 200),
    ("GET", f"/draft-orders/{ID.replace('-', '')}", {}, 200),
    ("GET", f"/draft-orders/urn:uuid:{ID}", {}, 200),
    ("GET", "/draft-orders/7", {}, 400),
    ("GET", f"/draft-orders/{ID}0", {}, 400),
    ("GET", "/draft-orders/", {}, 404),
    ("GET", f"/draft-orders/{ID}/", {}, 404),
    ("GET", f"/x/draft-orders/{ID}", {}, 404),
    ("HEAD", "/draft-orders", {}, 405),
    ("HEAD", f"/draft-orders/{ID}", {}, 405),
    ("OPTIONS", "/draft-orders", {}, 405),
    ("OPTIONS", f"/draft-orders/{ID}", {}, 405),
    ("PUT", f"/draft-orders/{ID}", {}, 405),
    ("PATCH", f"/draft-orders/{ID}", {"json": {"unknown": 1}}, 400),
    ("GET", "/draft-orders", {"json": {}}, 200),
    ("GET", f"/draft-orders/{ID}", {"json": {"a": 1}}, 400),
    ("GET", "/draft-orders", {"content": b"{}"}, 415),
    ("GET", f"/draft-orders/{ID}", {"headers": {"Content-Length": "0"}}, 200),
    ("GET", "/draft-orders", {"headers": {"Content-Length": str(1 << 30)}}, 413),
    ("GET", "/draft-orders", {"headers": {"Transfer-Encoding": "chunked"}}, 200),
]


@dataclass
class Framework:
    """The app behind the hot routes, and the requests that came through to it."""

    app: Any
    asked: list[str] = field(default_factory=list)

    @property
    def state(self) -> Any:
        return self.app.state

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append(scope["path"])
        await self.app(scope, receive, send)


@dataclass
class Doors:
    """Two ways to the same handlers."""

    hot: httpx.AsyncClient
    cold: httpx.AsyncClient
    framework: Framework


@pytest.fixture
async def doors(
    gateway: Service, token: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Doors]:
    app: Any = gateway._server._server.config.app
    framework = Framework(app._app)
    monkeypatch.setattr(app, "_app", framework)
    async with _client(app, token) as hot, _client(framework.app, token) as cold:
        yield Doors(hot, cold, framework)


def _client(app: Any, token: str) -> httpx.AsyncClient:
    headers = {
        "Authorization": f"Bearer {token}",
        "X-Request-Id": "the-same",
        "traceparent": TRACEPARENT,
    }
    transport = httpx.ASGITransport(app=app)
    return httpx.AsyncClient(transport=transport, base_url="http://gateway", headers=headers)


@pytest.fixture(autouse=True)
def _known(backends: Any) -> None:
    row = drafts.DraftSummary(
        id=ID, external_ref="r", status=drafts.DRAFT_STATUS_READY, version=3, created_at=MOMENT
    )
    draft = drafts.Draft(id=ID, status=drafts.DRAFT_STATUS_READY, version=3, updated_at=MOMENT)
    export = exports.Export(
        id=ID, draft_order_id=ID, status=exports.EXPORT_STATUS_SENT, sent_at=MOMENT
    )
    event = audit.AuditEvent(event_id=ID, seq=1, after_json='{"a": "Ä"}', occurred_at=MOMENT)
    backends.answers |= {
        "ListDrafts": approvals.ListDraftsResponse(drafts=[row], next_page_token="more"),
        "CountDrafts": approvals.CountDraftsResponse(),
        "GetDraft": approvals.GetDraftResponse(draft=draft),
        "ListExports": pushes.ListExportsResponse(exports=[export]),
        "ListEvents": audit.ListEventsResponse(events=[event]),
    }


def told(answer: httpx.Response) -> tuple[int, list[tuple[str, str]], bytes]:
    return answer.status_code, answer.headers.multi_items(), answer.content


def asked_of(backends: Any) -> list[tuple[str, Any]]:
    """What the services were asked; parts of a detail are asked for in no order."""
    found = [(each.method, each.request) for each in backends.received]
    backends.received.clear()
    return sorted(found, key=lambda each: each[0])


@pytest.mark.parametrize("target", READS + REFUSED_READS)
async def test_a_hot_read_answers_as_the_framework_would(
    doors: Doors, backends: Any, target: str
) -> None:
    hot = await doors.hot.get(target)
    asked = asked_of(backends)
    assert doors.framework.asked == []
    assert told(hot) == told(await doors.cold.get(target))
    assert asked == asked_of(backends)
    assert hot.status_code == (200 if target in READS else 400)
    assert bool(asked) is (target in READS)


@pytest.mark.parametrize(("method", "path", "more", "status"), OTHERS)
async def test_what_is_no_hot_read_is_the_frameworks(
    doors: Doors, method: str, path: str, more: dict[str, Any], status: int
) -> None:
    answer = await doors.hot.request(method, path, **more)
    assert doors.framework.asked == [path]
    assert answer.status_code == status
    assert told(answer) == told(await doors.cold.request(method, path, **more))


@pytest.mark.parametrize(
    "target", ["/draft-orders", "/draft-orders?page_size=0", f"/draft-orders/{ID}"]
)
@pytest.mark.parametrize("authorization", ["", "Basic eDp5", "Bearer not.a.token"])
async def test_the_token_comes_before_everything_else(
    doors: Doors, backends: Any, target: str, authorization: str
) -> None:
    headers = {"Authorization": authorization}
    hot = await doors.hot.get(target, headers=headers)
    assert hot.status_code == 401
    assert told(hot) == told(await doors.cold.get(target, headers=headers))
    assert (doors.framework.asked, backends.received) == ([], [])


@pytest.mark.parametrize("target", ["/draft-orders?with_export=true", f"/draft-orders/{ID}"])
@pytest.mark.parametrize(
    ("method", "error", "status"),
    [
        ("ListExports", grpc.StatusCode.INTERNAL, 200),
        ("ListDrafts GetDraft", NotFound(Reason.DRAFT_NOT_FOUND, "There is no such draft"), 404),
        ("ListDrafts GetDraft", grpc.StatusCode.DEADLINE_EXCEEDED, 504),
        ("ListDrafts GetDraft", grpc.StatusCode.INTERNAL, 500),
    ],
)
async def test_a_failure_of_a_service_is_told_alike(
    doors: Doors, backends: Any, target: str, method: str, error: Any, status: int
) -> None:
    backends.answers |= dict.fromkeys(method.split(), error)
    hot = await doors.hot.get(target)
    assert hot.status_code == status
    assert told(hot) == told(await doors.cold.get(target))
    assert doors.framework.asked == []


@pytest.mark.parametrize(
    ("target", "route", "status"),
    [
        ("/draft-orders?page_size=5", "/draft-orders", 200),
        ("/draft-orders?page_size=x", "/draft-orders", 400),
        (f"/draft-orders/{ID}", "/draft-orders/{id}", 200),
    ],
)
async def test_a_hot_read_is_counted_and_logged_as_the_frameworks(
    doors: Doors, target: str, route: str, status: int
) -> None:
    labels = {"route": route, "method": "GET", "status": str(status)}
    before = REGISTRY.get_sample_value("countersign_http_seconds_count", labels) or 0
    with capture_logs() as lines:
        await doors.hot.get(target)
        await doors.cold.get(target)
    after = REGISTRY.get_sample_value("countersign_http_seconds_count", labels)
    assert after == before + 2
    hot, cold = [each for each in lines if each["event"] == "http_request"]
    assert (hot["route"], hot["status"]) == (route, status)
    assert {**hot, "milliseconds": 0} == {**cold, "milliseconds": 0}


async def test_the_span_of_a_hot_read_bears_its_route(
    spans: InMemorySpanExporter, doors: Doors
) -> None:
    await doors.hot.get("/draft-orders")
    await doors.hot.get(f"/draft-orders/{ID}")
    names = [span.name for span in spans.get_finished_spans() if span.name.startswith("GET ")]
    assert names == ["GET /draft-orders", "GET /draft-orders/{id}"]
