"""One HTTP exchange: what is known of it before anybody has looked at the token."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.types import Scope

from countersign_gateway.client_address import client_address
from countersign_gateway.header_index import HeaderIndex
from countersign_gateway.headers import request_id_from, user_agent_from
from countersign_gateway.settings import Network

_KEY = "countersign_exchange"


@dataclass(slots=True)
class Exchange:
    """`traceparent` is what the caller sent until the edge has settled it."""

    method: str
    path: str
    request_id: str
    traceparent: str | None
    client_ip: str
    user_agent: str
    headers: HeaderIndex
    org_id: str | None = None


def open_exchange(scope: Scope, trusted_proxies: Sequence[Network]) -> Exchange:
    """Reads the exchange from an ASGI scope and leaves it there."""
    headers = HeaderIndex(scope)
    peer = scope["client"][0] if scope.get("client") else ""
    exchange = Exchange(
        method=scope["method"],
        path=scope["path"],
        request_id=request_id_from(headers.get("x-request-id")),
        traceparent=headers.get("traceparent"),
        client_ip=client_address(peer, headers.getlist("x-forwarded-for"), trusted_proxies),
        user_agent=user_agent_from(headers.get("user-agent")),
        headers=headers,
    )
    scope[_KEY] = exchange
    return exchange


def exchange_of(scope: Scope) -> Exchange:
    """The exchange that open_exchange left in the scope."""
    exchange = scope[_KEY]
    assert isinstance(exchange, Exchange)
    return exchange
