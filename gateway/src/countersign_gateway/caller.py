"""The caller: the token is verified here, before anything of the request is read."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from starlette.requests import Request

from countersign_gateway.exchange import exchange_of
from countersign_gateway.headers import bearer_token_from
from countersign_platform.auth.identity import Identity
from countersign_platform.auth.verifier import TokenVerifier
from countersign_platform.rpc.call import Call, enter_call, leave_call
from countersign_platform.telemetry.traceparent import trace_id_of

_token: ContextVar[str] = ContextVar("countersign_caller_token")


def caller_token() -> str:
    """The verified token of the request that this task handles; goes along to the services."""
    return _token.get()


async def authenticate(request: Request) -> tuple[str, Identity]:
    """The caller's token, and whom it speaks for.

    Raises:
        CountersignError: UNAUTHENTICATED.
        Unavailable: the keys that tokens are verified with cannot be read.
    """
    token = bearer_token_from(request.headers.getlist("authorization"))
    verifier = request.app.state.verifier
    assert isinstance(verifier, TokenVerifier)
    return token, await verifier.verify(token)


@contextmanager
def entered(request: Request, token: str, identity: Identity) -> Iterator[None]:
    """Makes the request the current call, so that channels and logs carry it along."""
    exchange = exchange_of(request.scope)
    exchange.org_id = None if identity.org_id is None else str(identity.org_id)
    traceparent = exchange.traceparent or ""
    call = Call(
        method=f"{exchange.method} {exchange.path}",
        identity=identity,
        request_id=exchange.request_id,
        trace_id=trace_id_of(traceparent),
        traceparent=traceparent,
        ip=exchange.client_ip,
        user_agent=exchange.user_agent,
    )
    call_entry, token_entry = enter_call(call), _token.set(token)
    try:
        yield
    finally:
        _token.reset(token_entry)
        leave_call(call_entry)
