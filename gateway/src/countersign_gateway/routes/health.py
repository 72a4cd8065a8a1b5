"""Is the process alive, is it ready: what load balancers ask on the public port."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

from fastapi import APIRouter, Request, Response
from typing_extensions import TypedDict

from countersign_gateway.replies.responses import json_response

router = APIRouter(tags=["health"])


class AliveReply(TypedDict):
    """The process is alive."""

    status: Literal["ok"]


class ReadyReply(TypedDict):
    """Whether the process takes requests, and what it lacks."""

    ready: bool
    not_ready: list[str]


Ready = Callable[[], Awaitable[Mapping[str, bool]]]


@router.get("/healthz", response_model=AliveReply)
async def healthz() -> Response:
    """Alive."""
    reply: AliveReply = {"status": "ok"}
    return json_response(reply)


@router.get(
    "/readyz",
    response_model=ReadyReply,
    responses={503: {"model": ReadyReply, "description": "Not ready"}},
)
async def readyz(request: Request) -> Response:
    """Ready: tokens can be verified, and the gateway is not draining.

    Services that are away do not count: their routes answer 503, all others work.
    """
    ready: Ready = request.app.state.ready
    state = await ready()
    missing = sorted(name for name, has in state.items() if not has)
    reply: ReadyReply = {"ready": not missing, "not_ready": missing}
    return json_response(reply, status=503 if missing else 200)
