"""The one interceptor that every call passes: who, may they, is it valid; and what went wrong.

It never aborts: a refusal is set on the context and the handler returns. So no exception
crosses the tracing layer outside, which would record a refusal as a crash and its status as OK.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import unquote

import grpc
import grpc.aio
import structlog

from countersign_core.errors import CountersignError, Forbidden, Unavailable
from countersign_core.reasons import Reason
from countersign_core.roles import Role
from countersign_platform.auth.identity import Identity
from countersign_platform.auth.verifier import TokenVerifier
from countersign_platform.rpc.call import Call, enter_call, find_call
from countersign_platform.rpc.in_flight import InFlight
from countersign_platform.rpc.metadata import CallMetadata, read_metadata
from countersign_platform.rpc.status import grpc_code_of, status_of
from countersign_platform.rpc.streams import until_set
from countersign_platform.rpc.validation import require_valid
from countersign_platform.telemetry.metrics import (
    DENIALS_NOT_RECORDED,
    RPC_SECONDS,
    RPCS_IN_FLIGHT,
)
from countersign_platform.telemetry.traceparent import trace_id_of
from countersign_platform.telemetry.tracing import carry_traceparent, record_failure

Access = Mapping[str, frozenset[Role]]
OnDenied = Callable[[Call, frozenset[Role]], Awaitable[None]]
Context = Any

# Health and reflection: for probes and tools, which carry no token.
_OPEN_PREFIX = "/grpc."

_log = structlog.get_logger(__name__)


class CallInterceptor(grpc.aio.ServerInterceptor):
    """Wraps every handler once and keeps it."""

    def __init__(
        self,
        verifier: TokenVerifier,
        access: Access,
        on_denied: OnDenied | None,
        in_flight: InFlight,
    ) -> None:
        self._verifier = verifier
        self._access = access
        self._on_denied = on_denied
        self._in_flight = in_flight
        self._handlers: dict[str, Any] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """The wrapped handler of the method; None (UNIMPLEMENTED) when there is no such method."""
        method = str(handler_call_details.method)
        wrapped = self._handlers.get(method)
        if wrapped is None:
            handler = await continuation(handler_call_details)
            if handler is None or method.startswith(_OPEN_PREFIX):
                return handler
            wrapped = self._handlers[method] = self._wrap(method, handler)
        return wrapped

    def _wrap(self, method: str, handler: Any) -> Any:
        if handler.request_streaming:
            raise TypeError(f"{method} streams requests; no call of Countersign does")
        guard = _MethodGuard(
            method, self._access[method], self._verifier, self._on_denied, self._in_flight
        )
        if handler.response_streaming:
            return grpc.unary_stream_rpc_method_handler(
                guard.streaming(handler.unary_stream),
                handler.request_deserializer,
                handler.response_serializer,
            )
        return grpc.unary_unary_rpc_method_handler(
            guard.unary(handler.unary_unary),
            handler.request_deserializer,
            handler.response_serializer,
        )


class _MethodGuard:
    """What one method asks of its callers, and its figures."""

    def __init__(
        self,
        method: str,
        allowed: frozenset[Role],
        verifier: TokenVerifier,
        on_denied: OnDenied | None,
        in_flight: InFlight,
    ) -> None:
        self._method = method
        self._allowed = allowed
        self._verifier = verifier
        self._on_denied = on_denied
        self._in_flight = in_flight
        self._service, self._name = method[1:].split("/", 1)
        self._gauge = RPCS_IN_FLIGHT.labels(self._service, self._name)
        self._seconds: dict[grpc.StatusCode, Any] = {}

    def unary(self, behavior: Callable[[Any, Context], Awaitable[Any]]) -> Callable[..., Any]:
        """`behavior` behind the guard."""

        async def guarded(request: Any, context: Context) -> Any:
            started = self._begin()
            code = grpc.StatusCode.OK
            try:
                await self._admit(request, context)
                return await behavior(request, context)
            except Exception as error:  # noqa: BLE001 — the boundary: nothing internal leaves
                code = self._refuse(context, error)
            except asyncio.CancelledError:
                code = _code_of_cancelled(context)
                raise
            finally:
                self._end(started, code)

        return guarded

    def streaming(
        self, behavior: Callable[[Any, Context], AsyncIterator[Any]]
    ) -> Callable[..., Any]:
        """`behavior` behind the guard; it ends as UNAVAILABLE when the server drains."""

        async def guarded(request: Any, context: Context) -> AsyncIterator[Any]:
            started = self._begin()
            code = grpc.StatusCode.OK
            draining = self._in_flight.draining
            try:
                await self._admit(request, context)
                async for reply in until_set(draining, behavior(request, context)):
                    yield reply
                if draining.is_set():
                    code = self._refuse(context, Unavailable("The server is going away; resume"))
            except Exception as error:  # noqa: BLE001 — the boundary: nothing internal leaves
                code = self._refuse(context, error)
            except (asyncio.CancelledError, GeneratorExit):
                code = _code_of_cancelled(context)
                raise
            finally:
                self._end(started, code)

        return guarded

    async def _admit(self, request: Any, context: Context) -> None:
        """Makes the call current, or refuses it: deadline, token, role, rules."""
        remaining = context.time_remaining()
        if remaining is not None and remaining <= 0:
            raise CountersignError(Reason.DEADLINE_EXCEEDED, "The deadline is over already")
        metadata = read_metadata(context.invocation_metadata())
        traceparent = carry_traceparent(metadata.traceparent)
        identity = await self._authenticate(metadata)
        call = self._call(identity, metadata, traceparent, context, remaining)
        enter_call(call)
        if self._allowed.isdisjoint(identity.roles):
            await self._deny(call)
        require_valid(request)

    async def _authenticate(self, metadata: CallMetadata) -> Identity:
        token = metadata.bearer_token()
        if not token:
            raise CountersignError(Reason.UNAUTHENTICATED, "A bearer token is needed")
        return await self._verifier.verify(token)

    def _call(
        self,
        identity: Identity,
        metadata: CallMetadata,
        traceparent: str,
        context: Context,
        remaining: float | None,
    ) -> Call:
        return Call(
            method=self._method,
            identity=identity,
            request_id=metadata.request_id,
            trace_id=trace_id_of(traceparent),
            traceparent=traceparent,
            ip=metadata.ip or _peer_ip(context.peer()),
            user_agent=metadata.user_agent,
            idempotency_keys=metadata.idempotency_keys,
            deadline=None if remaining is None else time.monotonic() + remaining,
        )

    async def _deny(self, call: Call) -> None:
        if self._on_denied is not None:
            try:
                await self._on_denied(call, self._allowed)
            except Exception as error:  # noqa: BLE001 — a refusal stays one when it cannot be recorded
                DENIALS_NOT_RECORDED.inc()
                _log.error("denial_not_recorded", method=self._method, exc_info=error)
        names = ",".join(sorted(self._allowed))
        raise Forbidden(
            Reason.ROLE_REQUIRED, f"This needs one of the roles {names}", allowed_roles=names
        )

    def _refuse(self, context: Context, error: Exception) -> grpc.StatusCode:
        """Sets the error's status on the context; the handler then returns without a reply."""
        if not isinstance(error, CountersignError):
            _log.error("rpc_failed", method=self._method, exc_info=error)
            record_failure(error)
            error = _internal_error()
        else:
            _log.info("rpc_refused", method=self._method, reason=error.reason)
        status = status_of(error)
        code = grpc_code_of(error.reason)
        context.set_code(code)
        context.set_details(status.details)
        context.set_trailing_metadata(status.trailing_metadata)
        return code

    def _begin(self) -> float:
        self._in_flight.enter()
        self._gauge.inc()
        return time.perf_counter()

    def _end(self, started: float, code: grpc.StatusCode) -> None:
        seconds = self._seconds.get(code)
        if seconds is None:
            seconds = RPC_SECONDS.labels(self._service, self._name, code.name)
            self._seconds[code] = seconds
        seconds.observe(time.perf_counter() - started)
        self._gauge.dec()
        self._in_flight.leave()


def _internal_error() -> CountersignError:
    """Tells nothing of the inside but the id that finds it in the log."""
    call = find_call()
    facts = {} if call is None else {"request_id": call.request_id}
    return CountersignError(Reason.INTERNAL, "Internal error", **facts)


def _code_of_cancelled(context: Context) -> grpc.StatusCode:
    """The caller went away, or its deadline ran out: the handler is cancelled either way."""
    remaining = context.time_remaining()
    if remaining is not None and remaining <= 0:
        return grpc.StatusCode.DEADLINE_EXCEEDED
    return grpc.StatusCode.CANCELLED


def _peer_ip(peer: str) -> str:
    """The address in gRPC's `ipv4:127.0.0.1:1234` or `ipv6:%5B::1%5D:1234`."""
    kind, _, rest = peer.partition(":")
    if kind not in {"ipv4", "ipv6"}:
        return ""
    return unquote(rest).rpartition(":")[0].strip("[]")
