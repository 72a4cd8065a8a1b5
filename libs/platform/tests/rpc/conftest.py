from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import grpc.aio
import pytest

from countersign.approval.v1 import approval_service_pb2, approval_service_pb2_grpc
from countersign.push.v1 import push_service_pb2, push_service_pb2_grpc
from countersign_core.roles import OPERATORS, READERS
from countersign_platform.auth.jwks import JwksSource
from countersign_platform.auth.minting import SigningKey, create_signing_key, mint_token
from countersign_platform.auth.verifier import TokenVerifier
from countersign_platform.rpc.channel import open_channel
from countersign_platform.rpc.server import RpcServer
from countersign_platform.settings import ServiceSettings

ORG = UUID("6f1f8f0e-63f4-4c92-8a52-4d9f8a6f9f11")
PUSH = "countersign.push.v1.PushService"
APPROVAL = "countersign.approval.v1.ApprovalService"


@dataclass
class Running:
    """A server on a free port and what a client needs."""

    server: RpcServer
    port: int
    key: SigningKey
    stack: AsyncExitStack

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.port}"

    def token(self, **claims: Any) -> str:
        given = {"subject": "anna", "roles": ["OPERATOR"], "org_id": ORG, **claims}
        return mint_token(self.key, **given)

    async def channel(self, **options: Any) -> grpc.aio.Channel:
        """As open_channel, with a good token; closed when the test ends."""
        token = self.token()
        options = {"token": lambda: token, **options}
        return await self.stack.enter_async_context(open_channel(self.target, **options))

    async def bare_channel(self) -> grpc.aio.Channel:
        """A channel that adds nothing."""
        return await self.stack.enter_async_context(grpc.aio.insecure_channel(self.target))

    async def push_stub(self, **options: Any) -> Any:
        return push_service_pb2_grpc.PushServiceStub(await self.channel(**options))

    async def approval_stub(self, **options: Any) -> Any:
        return approval_service_pb2_grpc.ApprovalServiceStub(await self.channel(**options))


def access() -> dict[str, frozenset[Any]]:
    push = push_service_pb2.DESCRIPTOR.services_by_name["PushService"].methods
    approval = approval_service_pb2.DESCRIPTOR.services_by_name["ApprovalService"].methods
    return {
        **{f"/{PUSH}/{method.name}": OPERATORS for method in push},
        **{f"/{APPROVAL}/{method.name}": READERS for method in approval},
    }


@pytest.fixture
def signing_key(tmp_path) -> SigningKey:
    return create_signing_key(tmp_path)


@pytest.fixture
async def serve(signing_key) -> AsyncIterator[Any]:
    """Starts the real server around a PushService and/or ApprovalService servicer."""
    async with AsyncExitStack() as stack:

        async def start(push=None, approval=None, *, drain_seconds=5.0, **options: Any) -> Running:
            settings = ServiceSettings(jwks=str(signing_key.jwks_file), drain_seconds=drain_seconds)
            verifier = TokenVerifier(JwksSource(settings.jwks), "countersign", "countersign")
            server = RpcServer(settings, verifier, access(), **options)
            if push is not None:
                server.add(push_service_pb2_grpc.add_PushServiceServicer_to_server, push, PUSH)
            if approval is not None:
                add = approval_service_pb2_grpc.add_ApprovalServiceServicer_to_server
                server.add(add, approval, APPROVAL)
            port = await server.start()
            stack.push_async_callback(server.stop)
            return Running(server, port, signing_key, stack)

        yield start
