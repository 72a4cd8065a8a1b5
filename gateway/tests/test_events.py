"""Status changes as server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio
import httpx
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from prometheus_client import REGISTRY

from countersign.approval.v1 import approval_service_pb2 as approvals
from countersign.approval.v1 import draft_pb2 as drafts
from countersign.approval.v1.approval_service_pb2_grpc import ApprovalServiceStub
from countersign_core.errors import CountersignError
from countersign_core.reasons import Reason
from countersign_gateway.bootstrap import build
from countersign_gateway.event_stream import EventStream

HEARTBEAT = approvals.WatchDraftsResponse()


def change(cursor: str, draft_id: str) -> approvals.WatchDraftsResponse:
    return approvals.WatchDraftsResponse(
        cursor=cursor,
        draft_order_id=draft_id,
        from_status=drafts.DRAFT_STATUS_APPROVED,
        to_status=drafts.DRAFT_STATUS_PUSHING,
        version=5,
        changed_at=Timestamp(seconds=1_772_357_400),
    )


class Feed:
    """A stream that a test feeds, and that tells when its caller left."""

    def __init__(self) -> None:
        self.items: asyncio.Queue[Any] = asyncio.Queue()
        self.left = asyncio.Event()

    async def __call__(self, _request: Any, _context: Any) -> AsyncIterator[Any]:
        try:
            while (item := await self.items.get()) is not None:
                yield item
        finally:
            self.left.set()


@pytest.fixture
def feed(backends: Any) -> Feed:
    feed = Feed()
    backends.answers["WatchDrafts"] = feed
    return feed


async def frames(answer: httpx.Response) -> AsyncIterator[dict[str, str]]:
    """Each block of lines as a dict; a comment under the empty name."""
    block: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if line:
            name, _, value = line.partition(":")
            block[name] = value.strip()
        elif block:
            yield block
            block = {}


async def test_a_change_becomes_an_event_and_a_heartbeat_a_comment(
    http: httpx.AsyncClient, feed: Feed, draft_id: str
) -> None:
    feed.items.put_nowait(HEARTBEAT)
    feed.items.put_nowait(change("c-1", draft_id))
    async with http.stream("GET", "/draft-orders/events") as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["Cache-Control"] == "no-store"
        received = frames(answer)
        assert await anext(received) == {"retry": "2000"}
        assert await anext(received) == {"": "heartbeat"}
        event = await anext(received)
    assert event["id"] == "c-1"
    assert event["event"] == "draft-status"
    assert json.loads(event["data"]) == {
        "draft_order_id": draft_id,
        "from_status": "APPROVED",
        "to_status": "PUSHING",
        "version": 5,
        "changed_at": "2026-03-01T09:30:00Z",
    }


@pytest.mark.parametrize(
    ("headers", "query", "cursor"),
    [
        ({}, "", ""),
        ({"Last-Event-ID": "c-9"}, "", "c-9"),
        ({}, "?last_event_id=c-8", "c-8"),
        ({"Last-Event-ID": "c-9"}, "?last_event_id=c-8", "c-9"),
    ],
)
async def test_stream_resumes_after_the_last_event(
    http: httpx.AsyncClient, feed: Feed, backends: Any, headers: Any, query: str, cursor: str
) -> None:
    feed.items.put_nowait(None)
    answer = await http.get(f"/draft-orders/events{query}", headers=headers)
    assert answer.status_code == 200
    assert backends.last.request.after_cursor == cursor


async def test_stream_opens_before_anything_happened(http: httpx.AsyncClient, feed: Feed) -> None:
    async with http.stream("GET", "/draft-orders/events") as answer:
        assert answer.status_code == 200
        assert await anext(frames(answer)) == {"retry": "2000"}


async def test_refusal_of_the_service_is_a_problem_and_no_stream(
    http: httpx.AsyncClient, backends: Any
) -> None:
    backends.answers["WatchDrafts"] = CountersignError(Reason.PAGE_TOKEN_INVALID, "Unknown cursor")
    answer = await http.get("/draft-orders/events", headers={"Last-Event-ID": "zz"})
    assert answer.status_code == 400
    assert answer.json()["code"] == "PAGE_TOKEN_INVALID"


async def test_caller_that_leaves_ends_the_call_to_the_service(
    http: httpx.AsyncClient, feed: Feed
) -> None:
    async with http.stream("GET", "/draft-orders/events") as answer:
        await anext(frames(answer))
        assert REGISTRY.get_sample_value("countersign_http_event_streams") == 1
    await asyncio.wait_for(feed.left.wait(), 60)


async def test_stream_ends_without_an_error_when_the_service_goes_away(
    http: httpx.AsyncClient, backends: Any, draft_id: str
) -> None:
    async def fail(_request: Any, context: Any) -> AsyncIterator[Any]:
        yield change("c-1", draft_id)
        await context.abort(grpc.StatusCode.UNAVAILABLE, "gone")

    backends.answers["WatchDrafts"] = fail
    answer = await http.get("/draft-orders/events")
    assert answer.status_code == 200
    assert "id: c-1" in answer.text
    assert "gone" not in answer.text


async def test_stream_ends_with_its_token(backends: Any, feed: Feed, draft_id: str) -> None:
    """No stream outlives the right to it: the token is looked at before each frame."""
    checks = iter([None, CountersignError(Reason.UNAUTHENTICATED, "The token has expired")])

    async def still_valid() -> None:
        if (refusal := next(checks)) is not None:
            raise refusal

    feed.items.put_nowait(HEARTBEAT)
    feed.items.put_nowait(change("c-1", draft_id))
    async with grpc.aio.insecure_channel(backends.target) as channel:
        watch = ApprovalServiceStub(channel).WatchDrafts(approvals.WatchDraftsRequest())
        stream = EventStream(watch, asyncio.Event(), still_valid)
        sent = [each async for each in stream.frames()]
    assert sent == [b"retry: 2000\n\n", b": heartbeat\n\n"]
    await asyncio.wait_for(feed.left.wait(), 60)


async def test_drain_ends_streams_and_lets_requests_finish(
    gateway_settings: Any, backends: Any, feed: Feed, token: str, draft_id: str
) -> None:
    service = await build(gateway_settings())
    base_url = f"http://127.0.0.1:{await service.start()}"
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_request: Any, _context: Any) -> Any:
        arrived.set()
        await go_on.wait()
        return approvals.ListDraftsResponse()

    backends.answers["ListDrafts"] = slow
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=base_url, headers=headers) as client:
        request = asyncio.create_task(client.get("/draft-orders"))
        async with client.stream("GET", "/draft-orders/events") as answer:
            received = frames(answer)
            await anext(received)
            await arrived.wait()
            stopping = asyncio.create_task(service.stop())
            assert [block async for block in received] == []  # a clean end, no error
        go_on.set()
        assert (await request).status_code == 200
        await asyncio.wait_for(stopping, 60)
    await asyncio.wait_for(feed.left.wait(), 60)
