"""How a request reaches its handler: token first, then the body, then the handler.

GatewayRoute       parameters and body are declared to FastAPI
├── DraftRoute     the same for bodies that may be as large as a draft order
└── LeanRoute      the handler takes the request alone and reads what it needs: what FastAPI
does for declared parameters takes longer than all else in the gateway
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from countersign_gateway.caller import authenticate, entered
from countersign_gateway.json_body import MAX_BODY_BYTES, malformed, parse_json, read_body
from countersign_platform.off_loop import off_loop

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def behind_the_door(handle: Handler) -> Handler:
    """`handle` for verified callers only."""

    async def handler(request: Request) -> Response:
        token, identity = await authenticate(request)
        with entered(request, token, identity):
            return await handle(request)

    return handler


class GatewayRoute(APIRoute):
    """Answers only to a verified token, and reads bodies as exact JSON."""

    def get_route_handler(self) -> Handler:
        """The handler, behind the door."""
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            return await handle(await self.read(request))

        return behind_the_door(handler)

    async def read(self, request: Request) -> Request:
        """The request with its body read."""
        body = await read_body(request.receive, request.headers, limit=self.limit(request))
        value = await off_loop(len(body), parse_json, body) if body else None
        read = _ReadRequest(request, body, value)
        if self.body_field is None and body and await read.json() != {}:
            raise malformed("is not taken by this route")
        return read

    def limit(self, _request: Request) -> int:
        """Largest body, in bytes."""
        return MAX_BODY_BYTES


class DraftRoute(GatewayRoute):
    """Takes draft orders."""

    def limit(self, request: Request) -> int:
        """As the settings say."""
        return int(request.app.state.max_draft_bytes)


class LeanRoute(GatewayRoute):
    """Calls the handler with the request and nothing else."""

    def get_route_handler(self) -> Handler:
        """The handler, behind the door."""
        return behind_the_door(self.endpoint)


class _ReadRequest(Request):
    """Its body is read and parsed before FastAPI looks at it.

    What FastAPI makes of a failure there would lose what was wrong.
    """

    def __init__(self, request: Request, body: bytes, value: Any) -> None:
        super().__init__(request.scope, request.receive)
        self._body = body
        self._json = value

    async def json(self) -> Any:
        """The JSON value in the body."""
        return self._json
