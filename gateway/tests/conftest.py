"""A real gateway on a free port, over real sockets, in front of services that are told what to say."""

import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc.aio
import httpx
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from countersign.approval.v1 import approval_service_pb2 as approvals
from countersign.audit.v1 import audit_service_pb2 as audit
from countersign.audit.v1 import seal_service_pb2 as seals
from countersign.push.v1 import connection_service_pb2 as connections
from countersign.push.v1 import push_service_pb2 as pushes
from countersign_core.errors import CountersignError
from countersign_core.roles import Role
from countersign_gateway.bootstrap import Service, build
from countersign_gateway.settings import GatewaySettings
from countersign_platform.rpc.status import status_of
from countersign_platform.telemetry.tracing import configure_tracing
from countersign_platform.testing.tokens import TestTokens

ORG = uuid.UUID("5c0ffee0-0000-4000-8000-000000000001")
_SERVICES = [
    approvals.DESCRIPTOR.services_by_name["ApprovalService"],
    pushes.DESCRIPTOR.services_by_name["PushService"],
    connections.DESCRIPTOR.services_by_name["ConnectionService"],
    audit.DESCRIPTOR.services_by_name["AuditService"],
    seals.DESCRIPTOR.services_by_name["SealService"],
]


@dataclass
class Received:
    """One call as a service got it."""

    method: str
    request: Any
    metadata: list[tuple[str, str]]
    seconds_left: float

    def values(self, key: str) -> list[str]:
        return [value for name, value in self.metadata if name == key]


@dataclass
class Backends:
    """All four services on one port. `answers` by method: a reply, an error, or a function."""

    server: grpc.aio.Server
    port: int = 0
    answers: dict[str, Any] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def last(self) -> Received:
        return self.received[-1]

    def calls(self, method: str) -> list[Received]:
        return [each for each in self.received if each.method == method]

    def forget(self) -> None:
        self.answers.clear()
        self.received.clear()

    async def answer(self, method: str, request: Message, context: Any) -> Any:
        self._note(method, request, context)
        answer = self.answers.get(method)
        if callable(answer) and not isinstance(answer, type):
            answer = await answer(request, context)
        if isinstance(answer, CountersignError):
            await context.abort_with_status(status_of(answer))
        if isinstance(answer, grpc.StatusCode):
            await context.abort(answer, "internal words: 10.1.2.3:5432")
        assert answer is not None, f"the test gave no answer for {method}"
        return answer

    async def stream(self, method: str, request: Message, context: Any) -> AsyncIterator[Any]:
        self._note(method, request, context)
        answer = self.answers[method]
        if isinstance(answer, CountersignError):
            await context.abort_with_status(status_of(answer))
        async for each in answer(request, context):
            yield each

    def _note(self, method: str, request: Message, context: Any) -> None:
        metadata = [(str(key), str(value)) for key, value in context.invocation_metadata()]
        self.received.append(Received(method, request, metadata, context.time_remaining()))


def _handler(backends: Backends, method: MethodDescriptor) -> grpc.RpcMethodHandler:
    async def unary(request: Message, context: Any) -> Any:
        return await backends.answer(method.name, request, context)

    async def stream(request: Message, context: Any) -> AsyncIterator[Any]:
        async for each in backends.stream(method.name, request, context):
            yield each

    decode = GetMessageClass(method.input_type).FromString
    encode = GetMessageClass(method.output_type).SerializeToString
    if method.server_streaming:
        return grpc.unary_stream_rpc_method_handler(stream, decode, encode)
    return grpc.unary_unary_rpc_method_handler(unary, decode, encode)


@pytest.fixture(scope="session")
async def running_backends() -> AsyncIterator[Backends]:
    server = grpc.aio.server()
    backends = Backends(server)
    for service in _SERVICES:
        handlers = {method.name: _handler(backends, method) for method in service.methods}
        generic = grpc.method_handlers_generic_handler(service.full_name, handlers)
        server.add_generic_rpc_handlers((generic,))
    backends.port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield backends
    await server.stop(0)


@pytest.fixture
def backends(running_backends: Backends) -> Iterator[Backends]:
    running_backends.forget()
    yield running_backends
    running_backends.forget()


@pytest.fixture(scope="session")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> TestTokens:
    return TestTokens(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="session")
def token(tokens: TestTokens) -> str:
    return tokens.user(ORG, Role.OPERATOR)


def settings_for(tokens: TestTokens, target: str, **changes: Any) -> GatewaySettings:
    given: dict[str, Any] = {
        "listen": "127.0.0.1:0",
        "probe_listen": "127.0.0.1:0",
        "approval_target": target,
        "push_target": target,
        "audit_target": target,
        "jwks": tokens.jwks,
        "drain_seconds": 5.0,
    }
    return GatewaySettings(**(given | changes))


@pytest.fixture
def gateway_settings(tokens: TestTokens, backends: Backends) -> Any:
    """Settings of a gateway in front of the backends, with changes."""
    return lambda **changes: settings_for(tokens, backends.target, **changes)


@pytest.fixture(scope="session")
async def gateway(
    running_backends: Backends, tokens: TestTokens, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Service]:
    console = _console(tmp_path_factory.mktemp("console"))
    settings = settings_for(tokens, running_backends.target, console_folder=console)
    service = await build(settings)
    await service.start()
    yield service
    await service.stop()


def _console(folder: Path) -> Path:
    (folder / "index.html").write_text("<!doctype html><title>Console</title>")
    (folder / "assets").mkdir()
    (folder / "assets" / "app-1f2e.js").write_text("export {}")
    return folder


@pytest.fixture(scope="session")
async def http(gateway: Service, token: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client with an operator's token."""
    headers = {"Authorization": f"Bearer {token}"}
    base_url = f"http://127.0.0.1:{gateway.port}"
    async with httpx.AsyncClient(base_url=base_url, headers=headers, timeout=30) as client:
        yield client


@pytest.fixture(scope="session")
async def anonymous(gateway: Service) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a token."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{gateway.port}") as client:
        yield client


@pytest.fixture
def draft_id() -> str:
    return str(uuid.uuid4())


@pytest.fixture
def spans(gateway_settings: Any) -> Iterator[InMemorySpanExporter]:
    """What the gateway traced, while the test runs."""
    exporter = InMemorySpanExporter()
    stop = configure_tracing(gateway_settings(), "gateway", processor=SimpleSpanProcessor(exporter))
    yield exporter
    stop()
