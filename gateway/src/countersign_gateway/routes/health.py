"""Is the process alive, is it ready: what load balancers ask on the public port."""

from collections.abc import Awaitable, Callable, Mapping

from fastapi import APIRouter, Request, Response

from countersign_gateway.replies.responses import json_response

router = APIRouter(tags=["health"])

Ready = Callable[[], Awaitable[Mapping[str, bool]]]


@router.get("/healthz")
async def healthz() -> Response:
    """Alive."""
    return json_response({"status": "ok"})


@router.get("/readyz", responses={503: {"description": "Not ready"}})
async def readyz(request: Request) -> Response:
    """Ready: tokens can be verified, and the gateway is not draining.

    Services that are away do not count: their routes answer 503, all others work.
    """
    ready: Ready = request.app.state.ready
    state = await ready()
    missing = sorted(name for name, has in state.items() if not has)
    reply = {"ready": not missing, "not_ready": missing}
    return json_response(reply, status=503 if missing else 200)
