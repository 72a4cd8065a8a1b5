"""The hot routes, found without the framework.

What FastAPI does before a handler runs (seven layers, a walk along the routes, parameters) takes
as long as these handlers, or longer. They stay routes of the app: it documents them, and answers
whatever does not come in exactly their form, an unknown method for instance.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from countersign_gateway.exchange import exchange_of
from countersign_gateway.header_index import HeaderIndex
from countersign_gateway.middleware import Edge
from countersign_gateway.refusals import HANDLERS
from countersign_gateway.route import Handler, LeanRoute
from countersign_gateway.settings import Network

# Other ids are FastAPI's to read or to refuse; under an act the handler reads them.
_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
# A request has a body exactly when one of these says so (RFC 9112, section 6.3).
_BODY_HEADERS = frozenset({b"content-length", b"transfer-encoding"})


@dataclass(frozen=True, slots=True)
class HotRoute:
    """`path` is the template, by which metrics, logs and spans name the route."""

    method: str
    path: str
    handler: Handler


class HotRoutes:
    """`app`, with its hot routes answered here."""

    def __init__(
        self, app: FastAPI, routes: Iterable[HotRoute], trusted_proxies: Sequence[Network]
    ) -> None:
        self._app = app
        self._edge = Edge(_serve, trusted_proxies)
        self._routes = {(route.method, route.path): route for route in routes}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path, parameters = _template(scope["path"])
        route = self._routes.get((scope["method"], path))
        if route is None or (route.method == "GET" and _brings_a_body(scope)):
            await self._app(scope, receive, send)
            return
        scope["app"] = self._app
        scope["route"] = route
        scope["path_params"] = parameters
        await self._edge(scope, receive, send)


def lean_routes(routes: Iterable[BaseRoute]) -> list[HotRoute]:
    """The lean ones of `routes`, as hot ones.

    Raises:
        TypeError: hot routes do not have such a form.
    """
    return [_hot(route) for route in routes if isinstance(route, LeanRoute)]


class _HotRequest(Request):
    """Its headers are those that the edge has sorted already."""

    @property
    def headers(self) -> HeaderIndex:
        return exchange_of(self.scope).headers


async def _serve(scope: Scope, receive: Receive, send: Send) -> None:
    request = _HotRequest(scope, receive)
    try:
        response = await scope["route"].handler(request)
    except Exception as error:  # noqa: BLE001 — raised again when it is no refusal
        response = await _refusal(request, error)
    await response(scope, receive, send)


def _template(path: str) -> tuple[str, dict[str, str]]:
    """The path that a hot route would have, and what stands for its {id}; or an empty one."""
    match path.split("/"):
        case ["", "draft-orders"]:
            return path, {}
        case ["", "draft-orders", draft_id] if _UUID.fullmatch(draft_id):
            return "/draft-orders/{id}", {"id": draft_id}
        case ["", "draft-orders", draft_id, act] if draft_id:
            return f"/draft-orders/{{id}}/{act}", {"id": draft_id}
    return "", {}


def _brings_a_body(scope: Scope) -> bool:
    return any(name in _BODY_HEADERS for name, _ in scope["headers"])


def _hot(route: LeanRoute) -> HotRoute:
    path, _ = _template(route.path)
    if path != route.path or route.methods != {"POST"}:
        raise TypeError(f"{route.path} is not of the form that hot routes have")
    return HotRoute("POST", path, route.get_route_handler())


async def _refusal(request: Request, error: Exception) -> Response:
    for kind in type(error).__mro__:
        if kind in HANDLERS:
            refused: Response = await HANDLERS[kind](request, error)
            return refused
    raise error
