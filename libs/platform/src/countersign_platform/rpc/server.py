"""A gRPC server as every service runs it: health, reflection, access rules, a graceful stop."""

import asyncio
from collections.abc import Callable
from typing import Any

import grpc.aio
import structlog
from google.protobuf import descriptor_pool
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from countersign_platform.auth.verifier import TokenVerifier
from countersign_platform.rpc.in_flight import InFlight
from countersign_platform.rpc.interceptor import Access, CallInterceptor, OnDenied
from countersign_platform.settings import ServiceSettings
from countersign_platform.telemetry.tracing import server_interceptors

MAX_MESSAGE_BYTES = 32 << 20
# What core still cancels after our own drain: handlers that outlived it.
_STOP_GRACE_SECONDS = 1.0

AddToServer = Callable[[Any, Any], None]

_log = structlog.get_logger(__name__)


class RpcServer:
    """`add` each servicer, `start`, and `stop` at the end.

    `access` maps full method names ("/countersign.push.v1.PushService/PushDraft") to the
    roles that may call them; `on_denied` is told of every call that lacks them.
    """

    def __init__(
        self,
        settings: ServiceSettings,
        verifier: TokenVerifier,
        access: Access,
        on_denied: OnDenied | None = None,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
    ) -> None:
        self._settings = settings
        self._verifier = verifier
        self._access = access
        self._on_denied = on_denied
        self._max_message_bytes = max_message_bytes
        self._in_flight = InFlight()
        self._health = health.aio.HealthServicer()
        self._added: list[tuple[AddToServer, Any, str]] = []
        self._server: grpc.aio.Server | None = None

    @property
    def draining(self) -> asyncio.Event:
        """Set when a stop begins: long polls answer then, so that nobody waits for them."""
        return self._in_flight.draining

    def add(self, add_to_server: AddToServer, servicer: Any, service_full_name: str) -> None:
        """Serves `servicer` with its generated `add_…Servicer_to_server`.

        Raises:
            ValueError: a method of the service has no entry in `access`.
        """
        missing = sorted(set(_methods_of(service_full_name)) - set(self._access))
        if missing:
            raise ValueError(f"no roles are set for {', '.join(missing)}")
        self._added.append((add_to_server, servicer, service_full_name))

    async def start(self) -> int:
        """Listens on `settings.listen`; the port that was bound."""
        # A key set that cannot be read yet is no reason not to start: it may come later.
        await self._verifier.ready()
        interceptor = CallInterceptor(
            self._verifier, self._access, self._on_denied, self._in_flight
        )
        server = grpc.aio.server(
            interceptors=[*server_interceptors(), interceptor],
            options=_options(self._max_message_bytes),
        )
        names = [name for _, _, name in self._added]
        for add_to_server, servicer, _ in self._added:
            add_to_server(servicer, server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        reflection.enable_server_reflection(
            [*names, health.SERVICE_NAME, reflection.SERVICE_NAME], server
        )
        port = server.add_insecure_port(self._settings.listen)
        await server.start()
        for name in names:
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        self._server = server
        _log.info("rpc_server_started", port=port, services=names)
        return port

    async def stop(self) -> None:
        """Drains: NOT_SERVING, streams end, calls in flight finish or run out of time, stop."""
        server, self._server = self._server, None
        if server is None:
            return
        await self._health.enter_graceful_shutdown()
        drained = await self._in_flight.drain(self._settings.drain_seconds)
        if not drained:
            _log.warning("rpc_server_drain_timed_out", in_flight=self._in_flight.count)
        await server.stop(_STOP_GRACE_SECONDS if drained else 0)
        await asyncio.sleep(0)  # lets cancelled handlers run their last lines
        _log.info("rpc_server_stopped", drained=drained)


def _methods_of(service_full_name: str) -> list[str]:
    service = descriptor_pool.Default().FindServiceByName(service_full_name)
    return [f"/{service_full_name}/{method.name}" for method in service.methods]


def _options(max_message_bytes: int) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", max_message_bytes),
        # Two processes on one port must be an error, not a coin toss per connection.
        ("grpc.so_reuseport", 0),
        # Our channels ping every 30 s, also when idle; without this the server cuts them off.
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 1),
    ]
