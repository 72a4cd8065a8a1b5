"""Exports waiting for workers, and WorkService and ConnectionService on a real socket."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import copy
from datetime import timedelta
from typing import Any, ClassVar, Self
from uuid import UUID, uuid4

import asyncpg
import grpc.aio
import pytest

from countersign.audit.v1.audit_service_pb2 import AuditEvent
from countersign.push.v1 import connection_service_pb2 as connection_pb
from countersign.push.v1 import (
    connection_service_pb2_grpc,
    push_service_pb2_grpc,
    work_service_pb2_grpc,
)
from countersign.push.v1 import work_service_pb2 as pb
from countersign_core.canonical_json import canonical_json
from countersign_core.errors import CountersignError
from countersign_core.reasons import Reason
from countersign_core.roles import Role
from countersign_platform.archive.opening import open_archive
from countersign_platform.auth.jwks import JwksSource
from countersign_platform.auth.verifier import TokenVerifier
from countersign_platform.database.pool import Database
from countersign_platform.rpc.problem import error_of
from countersign_platform.rpc.server import MAX_MESSAGE_BYTES, RpcServer
from countersign_platform.rpc.status import error_from_rpc
from countersign_push.access import ACCESS
from countersign_push.bootstrap import build_push_servicer
from countersign_push.hand_out import HandOut, build_hand_out
from countersign_push.no_replay_cache import NoReplayCache
from countersign_push.settings import PushSettings

KEYS = "k1:" + base64.b64encode(bytes(range(32))).decode()

# A draft that was pushed, as many times as asked for, in one round trip.
PENDING = """
WITH made AS (
    SELECT gen_random_uuid() AS draft_id, gen_random_uuid() AS export_id, n
      FROM generate_series(1, $3) n
), drafts AS (
    INSERT INTO approval.draft_orders (
           org_id, id, external_ref, status, content_sha256, submission_sha256, total_value,
           line_count, created_by, last_edited_by)
    SELECT $1, draft_id, draft_id::text, 'READY', $5, $5, 10, 1, 'ed', 'ed' FROM made
), contents AS (
    INSERT INTO approval.draft_contents (
           org_id, draft_id, content_version, content, content_sha256, created_by)
    SELECT $1, draft_id, 1, $4, $5, 'ed' FROM made
), exports AS (
    INSERT INTO push.exports (
           org_id, id, draft_id, connection_id, org_slug, content_version, content_sha256,
           approved_at, file_name, created_by, request_id, traceparent, created_at,
           next_attempt_at)
    SELECT $1, export_id, draft_id, $2, 'acme', 1, $5, now(),
           format('sales_order_%s_%s.json', draft_id, left(export_id::text, 8)), 'olga', 'req-1',
           '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00',
           now() - make_interval(secs => $3 - n), now() - make_interval(secs => $3 - n)
      FROM made
)
SELECT draft_id, export_id FROM made ORDER BY n
"""

CONTENT = {
    "customer": {"id": None, "erp_customer_number": "10042", "name": "Acme"},
    "header": {
        "external_order_number": "PO-1",
        "order_date": "2026-11-20",
        "currency": "EUR",
        "requested_delivery_date": None,
        "notes": None,
        "ship_to": None,
    },
    "lines": [
        {
            "line_no": 1,
            "internal_sku": "A-1",
            "qty": "2",
            "uom": "ST",
            "unit_price": "5.00",
            "currency": None,
            "customer_sku_raw": None,
            "description": None,
        }
    ],
    "source_document": {"document_id": None, "file_name": None, "sha256": None},
}

DIGEST = "ab" * 32


class Queue:
    """Exports as a push leaves them, seen and touched by the owner of the tables."""

    def __init__(self, owner: asyncpg.Connection) -> None:
        self.sql = owner

    async def connection(
        self, org_id: UUID, connector_type: str = "DROPZONE_JSON_V1", **columns: Any
    ) -> UUID:
        """An ACTIVE folder connection; `columns` as they are to be."""
        connection = uuid4()
        await self.sql.execute(
            """INSERT INTO push.erp_connections (
                   org_id, id, name, connector_type, config, created_by)
               VALUES ($1, $2, 'ERP', $3,
                       '{"transport": "folder", "export_path": "/srv/drop"}', 'ian')""",
            org_id, connection, connector_type,
        )  # fmt: skip
        for name, value in columns.items():
            await self.sql.execute(
                f"UPDATE push.erp_connections SET {name} = $2 WHERE id = $1", connection, value
            )
        return connection

    async def pending(
        self, org_id: UUID, connection: UUID, count: int = 1, content: Any = CONTENT
    ) -> list[UUID]:
        """Ids of `count` due exports, oldest first; their drafts are PUSHING."""
        text = canonical_json(content).decode()
        digest = hashlib.sha256(text.encode()).digest()
        async with self.sql.transaction():
            rows = await self.sql.fetch(PENDING, org_id, connection, count, text, digest)
            await self.sql.execute(
                """UPDATE approval.draft_orders
                      SET status = 'APPROVED', version = 2, approved_at = now(),
                          approved_by = 'anna', approved_content_version = 1,
                          approved_sha256 = content_sha256
                    WHERE org_id = $1 AND status = 'READY'""",
                org_id,
            )
            await self.sql.execute(
                """UPDATE approval.draft_orders SET status = 'PUSHING', version = 3
                    WHERE org_id = $1 AND status = 'APPROVED'""",
                org_id,
            )
        return [row["export_id"] for row in rows]

    async def one(self) -> tuple[UUID, UUID]:
        """(org_id, export_id) of one due export of a new org."""
        org_id = uuid4()
        [export] = await self.pending(org_id, await self.connection(org_id))
        return org_id, export

    async def export(self, export_id: UUID) -> asyncpg.Record:
        """Its row."""
        return await self.sql.fetchrow("SELECT * FROM push.exports WHERE id = $1", export_id)

    async def set(self, export_id: UUID, changes: str) -> None:
        """Force columns of the row."""
        tag = await self.sql.execute(f"UPDATE push.exports SET {changes} WHERE id = $1", export_id)
        assert tag == "UPDATE 1"

    async def run_out(self, export_id: UUID) -> None:
        """The lease ran out a moment ago."""
        await self.set(export_id, "leased_until = now() - interval '1 ms'")

    async def make_due(self, export_id: UUID) -> None:
        """Whatever it waited for is over."""
        await self.set(export_id, "next_attempt_at = now()")

    async def draft_status(self, export_id: UUID) -> str:
        """Where its draft stands."""
        return await self.sql.fetchval(
            """SELECT d.status FROM push.exports e
                 JOIN approval.draft_orders d ON d.org_id = e.org_id AND d.id = e.draft_id
                WHERE e.id = $1""",
            export_id,
        )

    async def acts(self, org_id: UUID) -> list[AuditEvent]:
        """What the org's audit lane says, oldest first."""
        rows = await self.sql.fetch(
            "SELECT payload FROM push.outbox WHERE org_id = $1 AND lane = 'audit' ORDER BY seq",
            org_id,
        )
        return [AuditEvent.FromString(row["payload"]) for row in rows]


class Caller:
    """A stub whose refusals are raised as the server raised them."""

    def __init__(self, stub: Any, token: str) -> None:
        self._stub = stub
        self._metadata = [("authorization", f"Bearer {token}"), ("x-request-id", "req-9")]

    def with_key(self, key: str | None) -> Self:
        """The same caller, sending this idempotency key; None: none."""
        caller = copy(self)
        if key is not None:
            caller._metadata = [*self._metadata, ("idempotency-key", key)]
        return caller

    async def call(self, method: str, request: Any, seconds: float = 120) -> Any:
        """The reply."""
        try:
            return await getattr(self._stub, method)(
                request, metadata=self._metadata, timeout=seconds
            )
        except grpc.aio.AioRpcError as error:
            raise error_from_rpc(error) from error


class Worker(Caller):
    """WorkService as one worker sees it."""

    async def claim(self, org_id: UUID, export_id: UUID) -> pb.Assignment | None:
        """ClaimExport; None when there is nothing to do."""
        reply = await self.call(
            "ClaimExport",
            pb.ClaimExportRequest(org_id=str(org_id), export_id=str(export_id), worker_id="w1"),
        )
        return reply.assignment if reply.HasField("assignment") else None

    async def claim_next(self, limit: int = 1, wait: float = 0) -> list[pb.Assignment]:
        """ClaimNext."""
        request = pb.ClaimNextRequest(worker_id="w1", max_assignments=limit, wait_seconds=wait)
        return list((await self.call("ClaimNext", request)).assignments)

    async def staged(self, lease: pb.Lease, name: str | None = None) -> None:
        """ReportStaged under a name that carries the fence."""
        name = name or f".tmp.{lease.export_id}.{lease.fence}"
        request = pb.ReportStagedRequest(lease=lease, staged_name=name, document_sha256=DIGEST)
        await self.call("ReportStaged", request)

    async def sent(self, lease: pb.Lease, evidence: int = 1) -> None:
        """ReportSent."""
        await self.call("ReportSent", pb.ReportSentRequest(lease=lease, evidence=evidence))

    async def failed(
        self, lease: pb.Lease, code: str = "DISK_FULL", *, withdrawn: bool = False
    ) -> None:
        """ReportFailed."""
        request = pb.ReportFailedRequest(
            lease=lease, error=attempt_error(code), withdrawn=withdrawn
        )
        await self.call("ReportFailed", request)

    async def deferred(self, lease: pb.Lease, code: str = "TIMEOUT", **more: Any) -> Any:
        """ReportDeferred; when it is due."""
        request = pb.ReportDeferredRequest(lease=lease, error=attempt_error(code), **more)
        return (await self.call("ReportDeferred", request)).next_attempt_at.ToDatetime()

    async def held(self, lease: pb.Lease, code: str = "UNREACHABLE") -> Any:
        """ReportHeld; when it is due."""
        request = pb.ReportHeldRequest(lease=lease, error=attempt_error(code))
        return (await self.call("ReportHeld", request)).next_attempt_at.ToDatetime()

    async def renew(self, lease: pb.Lease) -> Any:
        """RenewLease; its new end."""
        reply = await self.call("RenewLease", pb.RenewLeaseRequest(lease=lease))
        return reply.leased_until.ToDatetime()

    async def release(self, lease: pb.Lease) -> None:
        """ReleaseLease."""
        await self.call("ReleaseLease", pb.ReleaseLeaseRequest(lease=lease))


class BatchingWorker(Worker):
    """A worker whose reports come in batches, each of them twice, as after a lost reply."""

    _KINDS: ClassVar = {"ReportStaged": "staged", "ReportSent": "sent", "ReportFailed": "failed"}

    async def call(self, method: str, request: Any, seconds: float = 20) -> Any:
        """The reply; none of a report, and the refusal is the first one's."""
        if method not in self._KINDS:
            return await super().call(method, request, seconds)
        item = pb.BatchReportItem(**{self._KINDS[method]: request})
        first, second = await self.batch(item, item)
        for error in (first, second):
            if error is not None and error.reason is Reason.UNAVAILABLE:
                # It took long on a busy machine: reported again, as a worker does.
                return await super().call(method, request, seconds)
            if error is not None:
                raise error
        return None

    async def batch(self, *items: pb.BatchReportItem) -> list[CountersignError | None]:
        """BatchReport; the refusals."""
        reply = await super().call("BatchReport", pb.BatchReportRequest(items=items))
        return [_refusal(result) for result in reply.results]


def _refusal(result: pb.BatchReportResult) -> CountersignError | None:
    if not result.HasField("problem"):
        return None
    return error_of(result.problem)


class Site:
    """One replica: both services, their loops, callers, and the log of what was woken."""

    def __init__(self, settings: PushSettings, database: Database, tokens: Any) -> None:
        self.settings = settings
        self.tokens = tokens
        self.relay_wakes = 0
        self.hand_out: HandOut = build_hand_out(settings, database, self._wake_relay)
        self._pushes = build_push_servicer(
            database,
            NoReplayCache(),
            self._wake_relay,
            timedelta(hours=24),
            self.hand_out.exports_room.wake,
            archive=open_archive(settings),
        )
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, *, loops: bool) -> None:
        """Serve; `loops` also polls, reconciles and sweeps."""
        verifier = TokenVerifier(JwksSource(self.settings.jwks), "countersign", "countersign")
        self._server = RpcServer(self.settings, verifier, ACCESS)
        self._server.add(
            work_service_pb2_grpc.add_WorkServiceServicer_to_server,
            self.hand_out.work,
            "countersign.push.v1.WorkService",
        )
        self._server.add(
            connection_service_pb2_grpc.add_ConnectionServiceServicer_to_server,
            self.hand_out.connections,
            "countersign.push.v1.ConnectionService",
        )
        self._server.add(
            push_service_pb2_grpc.add_PushServiceServicer_to_server,
            self._pushes,
            "countersign.push.v1.PushService",
        )
        self._channel = grpc.aio.insecure_channel(
            f"127.0.0.1:{await self._server.start()}",
            options=[("grpc.max_receive_message_length", MAX_MESSAGE_BYTES)],
        )
        if loops:
            self._tasks = [asyncio.create_task(loop()) for loop in self.hand_out.loops()]

    async def stop(self) -> None:
        """As a process stops: waiting workers go home first."""
        self.hand_out.close()
        await self._channel.close()
        await self._server.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def worker(self, *, batching: bool = False) -> Worker:
        """A worker."""
        stub = work_service_pb2_grpc.WorkServiceStub(self._channel)
        kind = BatchingWorker if batching else Worker
        return kind(stub, self.tokens.service(Role.WORKER))

    def operator(self, org_id: UUID, *roles: Role) -> Caller:
        """A person who looks after exports."""
        stub = push_service_pb2_grpc.PushServiceStub(self._channel)
        return Caller(stub, self.tokens.user(org_id, *(roles or (Role.OPERATOR,)), subject="olga"))

    def integrator(self, org_id: UUID, *roles: Role) -> Caller:
        """A person who keeps connections."""
        stub = connection_service_pb2_grpc.ConnectionServiceStub(self._channel)
        return Caller(stub, self.tokens.user(org_id, *(roles or (Role.INTEGRATOR,)), subject="ian"))

    def _wake_relay(self) -> None:
        self.relay_wakes += 1


def attempt_error(code: str) -> pb.AttemptError:
    return pb.AttemptError(code=code, message=f"It went wrong: {code}")


@pytest.fixture
def push_settings(tokens: Any, tmp_path: Any) -> Any:
    """Settings of a replica, with what a test wants to be different."""

    def make(**different: Any) -> PushSettings:
        return PushSettings(
            **{
                "jwks": tokens.jwks,
                "listen": "127.0.0.1:0",
                "drain_seconds": 1,
                "database_url": "postgresql://unused",
                "service_token_file": tmp_path / "token",
                "secret_keys": KEYS,
                **different,
            }
        )

    return make


@pytest.fixture
async def queue(databases: Any) -> AsyncIterator[Queue]:
    """Exports, written as the owner of the tables."""
    owner = await asyncpg.connect(databases.owner_url)
    yield Queue(owner)
    await owner.close()


@pytest.fixture
def site_of(push_settings: Any, database: Database, tokens: Any) -> Any:
    """A context manager that runs a replica with settings of the test's own."""

    @asynccontextmanager
    async def run(*, loops: bool = True, **different: Any) -> AsyncIterator[Site]:
        site = Site(push_settings(**different), database, tokens)
        await site.start(loops=loops)
        try:
            yield site
        finally:
            await site.stop()

    return run


@pytest.fixture
async def site(site_of: Any) -> AsyncIterator[Site]:
    """A replica without loops: nothing happens but what the test calls."""
    async with site_of(loops=False) as made:
        yield made


@pytest.fixture
def worker(site: Site) -> Worker:
    """A worker of that replica."""
    return site.worker()


@pytest.fixture
def refused() -> Any:
    """Awaits a call that must be refused; the refusal."""

    async def expect(call: Any) -> CountersignError:
        with pytest.raises(CountersignError) as caught:
            await call
        return caught.value

    return expect


@pytest.fixture
def folder() -> Any:
    """A request for a folder connection, with what a test wants to be different."""

    def make(**different: Any) -> connection_pb.CreateConnectionRequest:
        return connection_pb.CreateConnectionRequest(
            **{
                "name": "ERP",
                "connector_type": "DROPZONE_JSON_V1",
                "config_json": '{"transport":"folder","export_path":"/srv/drop"}',
                **different,
            }
        )

    return make
