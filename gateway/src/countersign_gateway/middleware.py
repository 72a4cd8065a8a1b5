"""The outermost layer: names each request, times it, logs it, and lets no error out raw."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import structlog
from opentelemetry import trace
from prometheus_client import Histogram
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from countersign_core.errors import CountersignError
from countersign_core.reasons import Reason
from countersign_gateway.exchange import Exchange, open_exchange
from countersign_gateway.metrics import HTTP_SECONDS
from countersign_gateway.refusals import respond
from countersign_gateway.settings import Network
from countersign_platform.telemetry.traceparent import trace_id_of
from countersign_platform.telemetry.tracing import current_traceparent, start_span_from

# Documents and consoles bring their own policy; an API answer loads nothing.
_DEFAULT_HEADERS = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_NO_ROUTE = "none"
# As nginx counts a caller who did not wait for the answer.
_CALLER_LEFT = 499

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Outcome:
    """What was sent; status 0 until something was."""

    status: int = 0


class Edge:
    """Wraps the app; see the module's docstring."""

    def __init__(self, app: ASGIApp, trusted_proxies: Sequence[Network]) -> None:
        self._app = app
        self._trusted_proxies = trusted_proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one connection of the server."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = open_exchange(scope, self._trusted_proxies)
        with start_span_from(exchange.traceparent, f"HTTP {exchange.method}"):
            exchange.traceparent = current_traceparent()
            await self._timed(exchange, scope, receive, send)

    async def _timed(self, exchange: Exchange, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        outcome = _Outcome()
        sender = _sender(exchange, outcome, send)
        try:
            await self._app(scope, receive, sender)
        except ClientDisconnect:
            outcome.status = outcome.status or _CALLER_LEFT
        except Exception as error:  # noqa: BLE001 — the outermost layer
            _log.error("http_request_failed", exc_info=error, request_id=exchange.request_id)
            if not outcome.status:
                await respond(scope, _internal(error))(scope, receive, sender)
        finally:
            _record(exchange, scope, outcome, time.perf_counter() - began)


def _internal(error: Exception) -> CountersignError:
    return CountersignError(Reason.INTERNAL, type(error).__name__)


def _sender(exchange: Exchange, outcome: _Outcome, send: Send) -> Send:
    own = (
        (b"x-request-id", exchange.request_id.encode()),
        (b"traceparent", (exchange.traceparent or "").encode()),
    )

    async def sender(message: Message) -> None:
        if message["type"] == "http.response.start":
            outcome.status = message["status"]
            message["headers"] = [*message["headers"], *own, *_missing(message["headers"])]
        await send(message)

    return sender


def _missing(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The default headers that a response did not set itself."""
    present = {name.lower() for name, _ in headers}
    return [pair for pair in _DEFAULT_HEADERS if pair[0] not in present]


def _record(exchange: Exchange, scope: Scope, outcome: _Outcome, seconds: float) -> None:
    route = getattr(scope.get("route"), "path", _NO_ROUTE)
    method = exchange.method if exchange.method in _METHODS else "OTHER"
    _seconds(route, method, outcome.status).observe(seconds)
    _name_span(f"{method} {route}", outcome.status)
    _log.info(
        "http_request",
        method=method,
        path=exchange.path,
        route=route,
        status=outcome.status,
        milliseconds=round(seconds * 1000, 2),
        request_id=exchange.request_id,
        trace_id=trace_id_of(exchange.traceparent or ""),
        org_id=exchange.org_id,
        client_ip=exchange.client_ip,
    )


@cache
def _seconds(route: str, method: str, status: int) -> Histogram:
    """The histogram's child: as many as there are routes, and cheaper than to ask for it."""
    return HTTP_SECONDS.labels(route, method, str(status))


def _name_span(name: str, status: int) -> None:
    span = trace.get_current_span()
    if span.is_recording():
        span.update_name(name)
        span.set_attribute("http.response.status_code", status)
