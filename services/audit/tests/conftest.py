"""Events to record, a real audit service on a real database, and the ways around it."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import grpc.aio
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import SecretStr

from countersign.audit.v1 import audit_service_pb2 as pb
from countersign.audit.v1 import seal_service_pb2 as seal_pb
from countersign.audit.v1.audit_service_pb2_grpc import AuditServiceStub
from countersign.audit.v1.seal_service_pb2_grpc import SealServiceStub
from countersign_audit.bootstrap import Service, build
from countersign_audit.checkpoint_maker import Cadence, CheckpointMaker
from countersign_audit.commands.verify_chain import VerifyChain
from countersign_audit.event import Event, Link
from countersign_audit.messages import message_of
from countersign_audit.seal_archive import ArchivedCopies
from countersign_audit.seal_archiver import SealArchiver
from countersign_audit.seal_keys import PublicKeys, SealingKey
from countersign_audit.settings import AuditSettings
from countersign_audit.store import SealStore, Store
from countersign_core.roles import Role
from countersign_platform.archive.folder import FolderArchive
from countersign_platform.database.pool import Database
from countersign_platform.rpc.channel import open_channel
from countersign_platform.rpc.status import error_from_rpc
from countersign_platform.testing.databases import Databases
from countersign_platform.testing.tokens import TestTokens

MakeEvent = Callable[..., Event]


def new_key() -> str:
    """An Ed25519 private key in PEM."""
    form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Ed25519PrivateKey.generate().private_bytes(*form).decode()


@pytest.fixture
def org_id() -> UUID:
    return uuid4()


@pytest.fixture
def make_event(org_id) -> MakeEvent:
    """An approval in `org_id`, unless told otherwise; each call makes a new event."""

    def make(**fields: Any) -> Event:
        draft_id = str(uuid4())
        return Event(
            **{
                "org_id": org_id,
                "event_id": uuid4(),
                "occurred_at": datetime(2026, 3, 1, 9, 30, 0, 123456, tzinfo=UTC),
                "actor_user_id": "user-1",
                "action": "DRAFT_APPROVED",
                "entity_type": "draft_order",
                "entity_id": draft_id,
                "draft_order_id": draft_id,
                "request_id": "request-1",
                "trace_id": "0af7651916cd43dd8448eb211c80319c",
                "ip": "192.0.2.7",
                "user_agent": "curl/8.5",
                "before_json": '{"status":"READY"}',
                "after_json": '{"status":"APPROVED","approved_by":"Zoë"}',
                **fields,
            }
        )

    return make


@pytest.fixture
async def owner(databases: Databases) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the role that owns the tables: what a DBA gone bad would use."""
    connection = await asyncpg.connect(databases.owner_url)
    yield connection
    await connection.close()


@pytest.fixture
async def store(databases: Databases) -> AsyncIterator[Store]:
    """The store, with the grants of the service's role."""
    database = await Database.connect(databases.url_for("audit"), "audit-tests")
    yield Store(database)
    await database.close()


@pytest.fixture
async def seal_store(databases: Databases) -> AsyncIterator[SealStore]:
    """The store of seals, with the grants of the service's role."""
    database = await Database.connect(databases.url_for("audit"), "audit-tests")
    yield SealStore(database)
    await database.close()


@pytest.fixture(scope="session")
def signing_key() -> str:
    """The key of every replica, in PEM."""
    return new_key()


@pytest.fixture
def new_pem() -> str:
    """Another key, in PEM."""
    return new_key()


@pytest.fixture
def key(signing_key) -> SealingKey:
    return SealingKey.from_pem(signing_key)


@pytest.fixture
def archive_folder(tmp_path):
    """Where every replica archives."""
    return tmp_path / "archive"


@pytest.fixture
def archive(archive_folder) -> ArchivedCopies:
    return ArchivedCopies(FolderArchive.open(archive_folder, timeout_seconds=10))


@pytest.fixture
def seal(seal_store, archive, key):
    """Makes every checkpoint that could be due, and archives it; how many were made."""

    async def seal(events: int = 1_000_000, archived: bool = True) -> int:
        made = await CheckpointMaker(seal_store, key, Cadence(events, 0)).make_due()
        if archived:
            await SealArchiver(seal_store, archive).bring_all()
        return made

    return seal


@pytest.fixture
def verify_chain(store, seal_store, archive, key) -> VerifyChain:
    """The command on the real store."""
    return VerifyChain(store, seal_store, archive, PublicKeys({}).with_key(key))


@dataclass(frozen=True, slots=True)
class AuditClient:
    """Calls one replica over gRPC. Refusals come as the error that the service raised."""

    target: str
    channel: grpc.aio.Channel
    tokens: TestTokens
    service: Service

    async def append(self, *events: Event, role: Role = Role.RELAY) -> pb.AppendEventsResponse:
        """AppendEvents as a service."""
        messages = [message_of(Link(event, 0, b"", b"")) for event in events]
        request = pb.AppendEventsRequest(events=messages)
        return await self.call("AppendEvents", request, self.tokens.service(role))

    async def list(self, org_id: UUID, **fields: Any) -> pb.ListEventsResponse:
        """ListEvents as a viewer of the org."""
        token = self.tokens.user(org_id, Role.VIEWER)
        return await self.call("ListEvents", pb.ListEventsRequest(**fields), token)

    async def verify(self, org_id: UUID, **fields: int) -> pb.VerifyChainResponse:
        """VerifyChain as an admin of the org."""
        token = self.tokens.user(org_id, Role.ADMIN)
        return await self.call("VerifyChain", pb.VerifyChainRequest(**fields), token)

    async def export(self, org_id: UUID, role: Role = Role.ADMIN, **fields: Any) -> Sequence[Any]:
        """Every piece of ExportEvents."""
        bearer = (("authorization", f"Bearer {self.tokens.user(org_id, role)}"),)
        request = pb.ExportEventsRequest(**fields)
        stream = AuditServiceStub(self.channel).ExportEvents(request, metadata=bearer, timeout=30)
        try:
            return [piece async for piece in stream]
        except grpc.aio.AioRpcError as error:
            raise error_from_rpc(error) from error

    async def checkpoints(self, org_id: UUID, **fields: Any) -> seal_pb.ListCheckpointsResponse:
        """ListCheckpoints as an integrator of the org."""
        token = self.tokens.user(org_id, Role.INTEGRATOR)
        return await self.call("ListCheckpoints", seal_pb.ListCheckpointsRequest(**fields), token)

    async def call(
        self, method: str, request: Any, token: str | None, metadata: tuple[Any, ...] = ()
    ) -> Any:
        """Any method of any of its services, with any token."""
        bearer = () if token is None else (("authorization", f"Bearer {token}"),)
        stubs = (AuditServiceStub(self.channel), SealServiceStub(self.channel))
        stub = next(getattr(each, method) for each in stubs if hasattr(each, method))
        try:
            return await stub(request, metadata=(*bearer, *metadata))
        except grpc.aio.AioRpcError as error:
            raise error_from_rpc(error) from error


StartReplica = Callable[..., Any]


@pytest.fixture
async def start_replica(
    databases: Databases, tokens: TestTokens, signing_key: str, archive_folder: Any
) -> AsyncIterator[StartReplica]:
    """Starts an audit service in this process; each call is one more replica."""
    async with AsyncExitStack() as stack:

        async def start(**settings: Any) -> AuditClient:
            service = await build(
                AuditSettings(
                    **{
                        "listen": "127.0.0.1:0",
                        "probe_listen": "127.0.0.1:0",
                        "jwks": tokens.jwks,
                        "database_url": SecretStr(databases.url_for("audit")),
                        "audit_signing_key": SecretStr(signing_key),
                        "archive_url": archive_folder.as_uri(),
                        **settings,
                    }
                )
            )
            stack.push_async_callback(service.stop)
            ports = await service.start()
            target = f"127.0.0.1:{ports.rpc}"
            channel = open_channel(target)
            stack.push_async_callback(channel.close)
            return AuditClient(target, channel, tokens, service)

        yield start


@pytest.fixture
async def audit(start_replica: StartReplica) -> AuditClient:
    """One replica."""
    return await start_replica()
