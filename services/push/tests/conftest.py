"""Approved drafts without the approval service, and PushService on a real socket."""

import hashlib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import grpc.aio
import pytest

from countersign.audit.v1.audit_service_pb2 import AuditEvent
from countersign.push.v1 import push_service_pb2 as pb
from countersign.push.v1 import push_service_pb2_grpc
from countersign_core.canonical_json import canonical_json
from countersign_core.roles import Role
from countersign_platform.auth.jwks import JwksSource
from countersign_platform.auth.verifier import TokenVerifier
from countersign_platform.database.pool import Database
from countersign_platform.rpc.server import RpcServer
from countersign_platform.rpc.status import error_from_rpc
from countersign_platform.settings import ServiceSettings
from countersign_push.access import ACCESS
from countersign_push.bootstrap import build_push_servicer
from countersign_push.no_replay_cache import NoReplayCache

ERROR_JSON = """jsonb_build_object('code', 'DISK_FULL', 'message', 'no space left', 'attempt', 1,
                                   'at', to_char(now(), 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))"""


def order_content(external_order_number: str) -> dict[str, Any]:
    """One line of canonical content."""
    return {
        "customer": {"id": None, "erp_customer_number": "10042", "name": "Acme"},
        "header": {
            "external_order_number": external_order_number,
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


class Orders:
    """Writes as the owner of the tables what other services or workers would have written."""

    def __init__(self, owner: asyncpg.Connection) -> None:
        self.sql = owner

    async def ready(self, org_id: UUID, *, value: str = "10.00") -> UUID:
        """A READY draft, version 1."""
        draft = uuid4()
        content = canonical_json(order_content(f"PO-{draft}")).decode()
        digest = hashlib.sha256(content.encode()).digest()
        async with self.sql.transaction():
            await self.sql.execute(
                """INSERT INTO approval.draft_orders (
                       org_id, id, external_ref, status, content_sha256, submission_sha256,
                       total_value, line_count, created_by, last_edited_by)
                   VALUES ($1, $2::uuid, $2::uuid::text, 'READY', $3, $3, $4::text::numeric, 1, 'ed', 'ed')""",
                org_id, draft, digest, value,
            )  # fmt: skip
            await self.sql.execute(
                """INSERT INTO approval.draft_contents (
                       org_id, draft_id, content_version, content, content_sha256, created_by)
                   VALUES ($1, $2, 1, $3, $4, 'ed')""",
                org_id, draft, content, digest,
            )  # fmt: skip
        return draft

    async def approved(self, org_id: UUID, *, value: str = "10.00", by: str = "anna") -> UUID:
        """An APPROVED draft, version 2."""
        draft = await self.ready(org_id, value=value)
        await self.sql.execute(
            """UPDATE approval.draft_orders
                  SET status = 'APPROVED', version = 2, approved_at = now(), approved_by = $3,
                      approved_content_version = content_version, approved_sha256 = content_sha256
                WHERE org_id = $1 AND id = $2""",
            org_id, draft, by,
        )  # fmt: skip
        return draft

    async def reject(self, org_id: UUID, draft: UUID) -> None:
        """READY → NEEDS_REVIEW → REJECTED."""
        await self._status(org_id, draft, "NEEDS_REVIEW")
        await self.sql.execute(
            """UPDATE approval.draft_orders SET status = 'REJECTED', version = version + 1,
                      rejected_at = now(), rejected_by = 'anna', reject_reason = 'no'
                WHERE org_id = $1 AND id = $2""",
            org_id, draft,
        )  # fmt: skip

    async def reapprove(self, org_id: UUID, draft: UUID) -> None:
        """ERROR → NEEDS_REVIEW → READY → APPROVED, as an edit without a change would."""
        await self.sql.execute(
            """UPDATE approval.draft_orders SET status = 'NEEDS_REVIEW', version = version + 1,
                      approved_at = NULL, approved_by = NULL, approved_content_version = NULL,
                      approved_sha256 = NULL
                WHERE org_id = $1 AND id = $2""",
            org_id, draft,
        )  # fmt: skip
        await self._status(org_id, draft, "READY")
        await self.sql.execute(
            """UPDATE approval.draft_orders
                  SET status = 'APPROVED', version = version + 1, approved_at = now(),
                      approved_by = 'anna', approved_content_version = content_version,
                      approved_sha256 = content_sha256
                WHERE org_id = $1 AND id = $2""",
            org_id, draft,
        )  # fmt: skip

    async def connection(
        self, org_id: UUID, kind: str = "DROPZONE_JSON_V1", status: str = "ACTIVE"
    ) -> UUID:
        """An ERP connection."""
        connection = uuid4()
        await self.sql.execute(
            """INSERT INTO push.erp_connections (
                   org_id, id, name, connector_type, config, status, created_by)
               VALUES ($1, $2, 'ERP', $3, '{}', $4, 'ian')""",
            org_id, connection, kind, status,
        )  # fmt: skip
        return connection

    async def four_eyes(self, org_id: UUID, above: str) -> None:
        """Orders above this value need a second person."""
        await self.sql.execute(
            "INSERT INTO approval.approval_policies VALUES ($1, $2::text::numeric)", org_id, above
        )

    async def sent(self, org_id: UUID, export: UUID) -> None:
        """PENDING → SENT, draft → PUSHED."""
        await self._export(
            org_id, export, "status = 'SENT', sent_at = now(), evidence = 'RENAMED', "
            "next_attempt_at = NULL, finished_at = now()",
        )  # fmt: skip
        await self._move(org_id, export, "PUSHING", "PUSHED")

    async def acked(self, org_id: UUID, export: UUID) -> None:
        """SENT → ACKED."""
        await self._export(
            org_id, export, "status = 'ACKED', acked_at = now(), erp_order_id = 'SO-1'"
        )

    async def failed(self, org_id: UUID, export: UUID) -> None:
        """PENDING → FAILED, draft → ERROR."""
        await self._export(
            org_id, export, f"status = 'FAILED', next_attempt_at = NULL, error_json = {ERROR_JSON}"
        )
        await self._move(org_id, export, "PUSHING", "ERROR")

    async def refused_by_erp(self, org_id: UUID, export: UUID) -> None:
        """SENT → FAILED, draft PUSHED → ERROR."""
        await self._export(org_id, export, f"status = 'FAILED', error_json = {ERROR_JSON}")
        await self._move(org_id, export, "PUSHED", "ERROR")

    async def held(self, org_id: UUID, export: UUID, *, leased: bool = False) -> None:
        """A staged export that nobody could publish or take back; `leased` to a worker again."""
        await self._export(
            org_id, export, "outcome_unknown_since = now(), staged_name = 't', staged_fence = 1, "
            "document_sha256 = sha256('x'), fence = 1, attempt = 1, leased_by = 'w', "
            f"leased_until = now() + interval '{30 if leased else -1} s'",
        )  # fmt: skip

    async def expire_keys(self, org_id: UUID) -> None:
        """Every key of the org ran out a second ago."""
        await self.sql.execute(
            "UPDATE push.idempotency_keys SET expires_at = now() - interval '1 s' "
            "WHERE org_id = $1", org_id,
        )  # fmt: skip

    async def draft(self, org_id: UUID, draft: UUID) -> asyncpg.Record:
        """The draft's row."""
        return await self.sql.fetchrow(
            "SELECT * FROM approval.draft_orders WHERE org_id = $1 AND id = $2", org_id, draft
        )

    async def exports(self, org_id: UUID, draft: UUID) -> list[asyncpg.Record]:
        """The draft's exports, oldest first."""
        return await self.sql.fetch(
            "SELECT * FROM push.exports WHERE org_id = $1 AND draft_id = $2 "
            "ORDER BY created_at, id", org_id, draft,
        )  # fmt: skip

    async def keys(self, org_id: UUID) -> list[asyncpg.Record]:
        """The org's idempotency keys."""
        return await self.sql.fetch("SELECT * FROM push.idempotency_keys WHERE org_id = $1", org_id)

    async def outbox(self, org_id: UUID, lane: str) -> list[asyncpg.Record]:
        """The org's outbox rows of a lane, oldest first."""
        return await self.sql.fetch(
            "SELECT * FROM push.outbox WHERE org_id = $1 AND lane = $2 ORDER BY seq", org_id, lane
        )

    async def acts(self, org_id: UUID) -> list[AuditEvent]:
        """What the org's audit lane says, oldest first."""
        rows = await self.outbox(org_id, "audit")
        return [AuditEvent.FromString(row["payload"]) for row in rows]

    async def _status(self, org_id: UUID, draft: UUID, status: str) -> None:
        await self.sql.execute(
            "UPDATE approval.draft_orders SET status = $3, version = version + 1 "
            "WHERE org_id = $1 AND id = $2", org_id, draft, status,
        )  # fmt: skip

    async def _export(self, org_id: UUID, export: UUID, changes: str) -> None:
        tag = await self.sql.execute(
            f"UPDATE push.exports SET {changes} WHERE org_id = $1 AND id = $2", org_id, export
        )
        assert tag == "UPDATE 1"

    async def _move(self, org_id: UUID, export: UUID, source: str, target: str) -> None:
        moved = await self.sql.fetchval(
            """SELECT count(*) FROM push.exports e CROSS JOIN LATERAL
                      approval.move_draft(e.org_id, e.draft_id, ARRAY[$3], $4)
                WHERE e.org_id = $1 AND e.id = $2""",
            org_id, export, source, target,
        )  # fmt: skip
        assert moved == 1


class PushClient:
    """PushService as one caller sees it; refusals are raised as the server raised them."""

    def __init__(self, channel: grpc.aio.Channel, token: str, org_id: UUID) -> None:
        self._stub = push_service_pb2_grpc.PushServiceStub(channel)
        self._token = token
        self.org_id = org_id

    async def call(self, method: str, request: Any, *keys: str) -> Any:
        """The reply; `keys` are sent as idempotency-key headers."""
        metadata = [("authorization", f"Bearer {self._token}")]
        metadata += [("idempotency-key", key) for key in keys]
        try:
            return await getattr(self._stub, method)(request, metadata=metadata, timeout=120)
        except grpc.aio.AioRpcError as error:
            raise error_from_rpc(error) from error

    async def push(self, draft: UUID, *keys: str, **fields: Any) -> pb.PushDraftResponse:
        """PushDraft."""
        return await self.call(
            "PushDraft", pb.PushDraftRequest(draft_order_id=str(draft), **fields), *keys
        )

    async def retry(self, draft: UUID, *keys: str, **fields: Any) -> pb.RetryPushResponse:
        """RetryPush."""
        return await self.call(
            "RetryPush", pb.RetryPushRequest(draft_order_id=str(draft), **fields), *keys
        )

    async def batch(self, *drafts: UUID, keys: tuple[str, ...] = ()) -> list[pb.BatchPushResult]:
        """BatchPushDrafts."""
        items = [pb.PushDraftRequest(draft_order_id=str(draft)) for draft in drafts]
        reply = await self.call("BatchPushDrafts", pb.BatchPushDraftsRequest(items=items), *keys)
        return list(reply.results)


class PushWorld:
    """One PushService on a socket, its database, and callers."""

    def __init__(self, orders: Orders, database: Database, tokens: Any) -> None:
        self.orders = orders
        self.database = database
        self.tokens = tokens
        self.wakes = 0
        self.replays: Any = NoReplayCache()
        self.tell_workers: Any = None
        self._channel: grpc.aio.Channel | None = None
        self._server: RpcServer | None = None

    async def start(self) -> None:
        """Serves with the replay cache that is set."""
        settings = ServiceSettings(jwks=self.tokens.jwks, listen="127.0.0.1:0", drain_seconds=1)
        verifier = TokenVerifier(JwksSource(settings.jwks), "countersign", "countersign")
        server = RpcServer(settings, verifier, ACCESS)
        servicer = build_push_servicer(
            self.database,
            self.replays,
            self._wake,
            timedelta(hours=24),
            self._wake,
            tell_workers=self.tell_workers,
        )
        server.add(
            push_service_pb2_grpc.add_PushServiceServicer_to_server,
            servicer,
            "countersign.push.v1.PushService",
        )
        port = await server.start()
        self._server = server
        self._channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")

    async def stop(self) -> None:
        """Stops serving."""
        if self._channel is not None and self._server is not None:
            await self._channel.close()
            await self._server.stop()

    def client(self, org_id: UUID | None = None, *roles: Role, subject: str = "olga") -> PushClient:
        """A caller with a token of its own; a new org and OPERATOR unless told otherwise."""
        org = org_id or uuid4()
        assert self._channel is not None
        token = self.tokens.user(org, *roles, subject=subject, org_slug="acme")
        return PushClient(self._channel, token, org)

    def _wake(self) -> None:
        self.wakes += 1


@pytest.fixture
async def orders(databases: Any) -> AsyncIterator[Orders]:
    """Writes as the owner of the tables."""
    owner = await asyncpg.connect(databases.owner_url)
    yield Orders(owner)
    await owner.close()


@pytest.fixture
async def database(databases: Any) -> AsyncIterator[Database]:
    """The database, with the push service's own role."""
    opened = await Database.connect(databases.url_for("push"), "push-tests")
    yield opened
    await opened.close()


@pytest.fixture
async def world(orders: Orders, database: Database, tokens: Any) -> AsyncIterator[PushWorld]:
    """PushService without Redis, relay or workers: what it writes stays to be looked at."""
    made = PushWorld(orders, database, tokens)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def client(world: PushWorld) -> PushClient:
    """An operator of an org with one active ERP connection."""
    operator = world.client()
    await world.orders.connection(operator.org_id)
    return operator


@pytest.fixture
def approved(orders: Orders, client: PushClient) -> Callable[..., Any]:
    """Makes an approved draft of the operator's org."""

    async def make(**fields: Any) -> UUID:
        return await orders.approved(client.org_id, **fields)

    return make
