"""The lean routes, found without the framework.

What FastAPI does before a handler runs (seven layers, and a walk along the routes) takes twice
as long as these handlers. They stay routes of the app: it documents them, and answers whatever
does not come in exactly their form, an unknown method for instance.
"""

from collections.abc import Sequence

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from countersign_gateway.exchange import exchange_of
from countersign_gateway.header_index import HeaderIndex
from countersign_gateway.middleware import Edge
from countersign_gateway.refusals import HANDLERS
from countersign_gateway.route import LeanRoute
from countersign_gateway.settings import Network

_PREFIX = "/draft-orders/{id}/"


class HotRoutes:
    """`app`, with `POST /draft-orders/{id}/<act>` of its lean routes answered here."""

    def __init__(
        self, app: FastAPI, routes: Sequence[BaseRoute], trusted_proxies: Sequence[Network]
    ) -> None:
        self._app = app
        self._edge = Edge(self._serve, trusted_proxies)
        self._routes = {_act_of(route): route for route in routes if isinstance(route, LeanRoute)}
        self._handlers = {act: route.get_route_handler() for act, route in self._routes.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        draft_id, act = _hot_path(scope)
        if act not in self._routes:
            await self._app(scope, receive, send)
            return
        scope["app"] = self._app
        scope["route"] = self._routes[act]
        scope["path_params"] = {"id": draft_id, "act": act}
        await self._edge(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = _HotRequest(scope, receive)
        try:
            response = await self._handlers[scope["path_params"]["act"]](request)
        except Exception as error:  # noqa: BLE001 — raised again when it is no refusal
            response = await _refusal(request, error)
        await response(scope, receive, send)


class _HotRequest(Request):
    """Its headers are those that the edge has sorted already."""

    @property
    def headers(self) -> HeaderIndex:
        return exchange_of(self.scope).headers


def _hot_path(scope: Scope) -> tuple[str, str]:
    """The id and the act in `POST /draft-orders/<id>/<act>`; empty for anything else."""
    if scope["type"] == "http" and scope["method"] == "POST":
        match scope["path"].split("/"):
            case ["", "draft-orders", draft_id, act] if draft_id:
                return draft_id, act
    return "", ""


def _act_of(route: LeanRoute) -> str:
    if not route.path.startswith(_PREFIX) or route.methods != {"POST"}:
        raise TypeError(f"{route.path} is not of the form that hot routes have")
    return route.path.removeprefix(_PREFIX)


async def _refusal(request: Request, error: Exception) -> Response:
    for kind in type(error).__mro__:
        if kind in HANDLERS:
            refused: Response = await HANDLERS[kind](request, error)
            return refused
    raise error
