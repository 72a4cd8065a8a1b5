"""Channels to other services: they carry the call along and never wait for ever."""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self

import grpc
import grpc.aio

from countersign_platform.rpc.call import find_call
from countersign_platform.rpc.metadata import (
    AUTHORIZATION,
    CLIENT_IP,
    CLIENT_USER_AGENT,
    REQUEST_ID,
    TRACEPARENT,
)
from countersign_platform.telemetry.tracing import client_interceptors, current_traceparent

DEFAULT_DEADLINE_SECONDS = 10.0
MAX_MESSAGE_BYTES = 32 << 20

TokenProvider = Callable[[], str]
Pair = tuple[str, str | bytes]


def open_channel(
    target: str,
    *,
    token: TokenProvider | None = None,
    max_message_bytes: int = MAX_MESSAGE_BYTES,
    default_deadline_seconds: float = DEFAULT_DEADLINE_SECONDS,
    safe_methods: Iterable[str] = (),
) -> grpc.aio.Channel:
    """A channel to `target` ("host:port"), which connects when it is first used.

    Every call carries `authorization` (from `token`, unless the call brings its own), the
    request id, trace and end user of the current call, and what remains of its deadline, or
    `default_deadline_seconds`. Metadata given with a call wins over what is carried along.
    Methods named in `safe_methods` ("/countersign.push.v1.PushService/GetExport") are
    repeated when the server is UNAVAILABLE; name only those that may run twice.
    """
    channel = grpc.aio.insecure_channel(
        target,
        options=_options(max_message_bytes, safe_methods),
        interceptors=client_interceptors(),
    )
    return _CarryingChannel(channel, _Carrier(token), default_deadline_seconds)


class _Carrier:
    """What goes along with each call."""

    def __init__(self, token: TokenProvider | None) -> None:
        self._token = token

    def timeout(self, asked: float | None) -> float | None:
        """Seconds: the shorter of what was asked for and what the current call has left.

        Raises:
            AioRpcError: DEADLINE_EXCEEDED; nothing is left, so nothing goes out.
        """
        call = find_call()
        remaining = None if call is None else call.remaining_seconds()
        if remaining is None:
            return asked
        if remaining <= 0:
            raise _deadline_is_over()
        return remaining if asked is None else min(asked, remaining)

    def metadata(self, given: Iterable[Pair] | None) -> list[Pair]:
        """`given`, and what it does not name itself."""
        pairs = list(given or ())
        named = {key for key, _ in pairs}
        pairs += [
            (key, value) for key, value in _carried() if key not in named and _can_travel(value)
        ]
        if self._token is not None and AUTHORIZATION not in named:
            pairs.append((AUTHORIZATION, f"Bearer {self._token()}"))
        return pairs


def _carried() -> list[tuple[str, str]]:
    """Of the current call, if there is one, and of the current trace."""
    call = find_call()
    if call is None:
        return [(TRACEPARENT, current_traceparent() or "")]
    return [
        (TRACEPARENT, current_traceparent() or call.traceparent),
        (REQUEST_ID, call.request_id),
        (CLIENT_IP, call.ip),
        (CLIENT_USER_AGENT, call.user_agent),
    ]


def _can_travel(value: str) -> bool:
    """A browser may call itself what it likes; gRPC fails a call over one odd character."""
    return value != "" and value.isascii() and value.isprintable()


class _CarryingCallable:
    """A multi-callable whose calls carry along.

    It stands in for a client interceptor, which would cost every call a task of its own.
    """

    def __init__(self, inner: Any, carrier: _Carrier, default_timeout: float | None) -> None:
        self._inner = inner
        self._carrier = carrier
        self._default_timeout = default_timeout

    def __call__(
        self,
        request: Any,
        *,
        timeout: float | None = None,
        metadata: Iterable[Pair] | None = None,
        **options: Any,
    ) -> Any:
        asked = self._default_timeout if timeout is None else timeout
        return self._inner(
            request,
            timeout=self._carrier.timeout(asked),
            metadata=self._carrier.metadata(metadata),
            **options,
        )


class _CarryingChannel(grpc.aio.Channel):
    """Hands out carrying multi-callables; everything else is the channel's own."""

    def __init__(
        self, channel: grpc.aio.Channel, carrier: _Carrier, default_deadline_seconds: float
    ) -> None:
        self._channel = channel
        self._carrier = carrier
        self._default_deadline = default_deadline_seconds

    def unary_unary(self, method: str, *args: Any, **options: Any) -> Any:
        inner = self._channel.unary_unary(method, *args, **options)
        return _CarryingCallable(inner, self._carrier, self._default_deadline)

    def unary_stream(self, method: str, *args: Any, **options: Any) -> Any:
        # A reply stream lasts as long as its caller wants.
        inner = self._channel.unary_stream(method, *args, **options)
        return _CarryingCallable(inner, self._carrier, None)

    def stream_unary(self, method: str, *args: Any, **options: Any) -> Any:
        return self._channel.stream_unary(method, *args, **options)

    def stream_stream(self, method: str, *args: Any, **options: Any) -> Any:
        return self._channel.stream_stream(method, *args, **options)

    async def close(self, grace: float | None = None) -> None:
        await self._channel.close(grace)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        return self._channel.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        await self._channel.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        await self._channel.channel_ready()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()


def _deadline_is_over() -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.aio.Metadata(),
        grpc.aio.Metadata(),
        details="The deadline of the current call is over",
    )


def _options(max_message_bytes: int, safe_methods: Iterable[str]) -> Sequence[tuple[str, Any]]:
    return [
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", max_message_bytes),
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.max_reconnect_backoff_ms", 1_000),
        ("grpc.service_config", json.dumps(_service_config(safe_methods))),
    ]


def _service_config(safe_methods: Iterable[str]) -> dict[str, Any]:
    config: dict[str, Any] = {"loadBalancingConfig": [{"round_robin": {}}]}
    names = [
        dict(zip(("service", "method"), name.strip("/").split("/"), strict=True))
        for name in safe_methods
    ]
    if names:
        retry = {
            "maxAttempts": 4,
            "initialBackoff": "0.1s",
            "maxBackoff": "1s",
            "backoffMultiplier": 2,
            "retryableStatusCodes": ["UNAVAILABLE"],
        }
        config["methodConfig"] = [{"name": names, "retryPolicy": retry}]
    return config
