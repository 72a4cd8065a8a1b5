"""Live status changes for the console."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from countersign.approval.v1 import approval_service_pb2 as approvals
from countersign_gateway.bodies.fields import QueryText
from countersign_gateway.caller import caller_token
from countersign_gateway.event_stream import LONGEST_SECONDS, EventStream
from countersign_gateway.metrics import EVENT_STREAMS
from countersign_gateway.route import GatewayRoute
from countersign_gateway.routes.parameters import Backends
from countersign_platform.auth.verifier import TokenVerifier

router = APIRouter(route_class=GatewayRoute, tags=["draft orders"])

Cursor = Annotated[QueryText, Query(max_length=100)]

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": (
            "`id:` the cursor to resume from, `event: draft-status`, `data:` "
            "`{draft_order_id, from_status, to_status, version, changed_at}`. A change may come "
            "twice, so compare versions. Comments are signs of life."
        ),
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


@router.get("/draft-orders/events", responses=_STREAM, response_class=StreamingResponse)
async def watch_drafts(
    request: Request,
    services: Backends,
    last_event_id: Annotated[
        str | None, Header(alias="Last-Event-ID", max_length=100, pattern=r"^[!-~]*$")
    ] = None,
    after: Annotated[Cursor | None, Query(alias="last_event_id")] = None,
) -> StreamingResponse:
    """Status changes of your org as they happen, from `Last-Event-ID` or from now on."""
    cursor = last_event_id or after or ""
    token = caller_token()
    verifier: TokenVerifier = request.app.state.verifier
    drain: asyncio.Event = request.app.state.drain
    message = approvals.WatchDraftsRequest(after_cursor=cursor)
    watch = services.approval.WatchDrafts(message, timeout=LONGEST_SECONDS)
    stream = EventStream(watch, drain, lambda: verifier.verify(token))
    await stream.opened()
    return _EventResponse(stream)


class _EventResponse(StreamingResponse):
    """Gives the service's stream up as soon as the caller is gone."""

    def __init__(self, stream: EventStream) -> None:
        super().__init__(
            stream.frames(),
            media_type="text/event-stream",
            # Else a proxy may collect events until a buffer is full.
            headers={"X-Accel-Buffering": "no"},
        )
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with EVENT_STREAMS.track_inprogress():
            try:
                await super().__call__(scope, receive, send)
            finally:
                self._stream.close()
