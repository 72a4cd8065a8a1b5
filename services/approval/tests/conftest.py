"""The real service in this process, on a database of its own, and people who call it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import grpc.aio
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from pydantic import SecretStr

from countersign.approval.v1 import approval_service_pb2 as pb
from countersign.approval.v1 import draft_pb2
from countersign.approval.v1.approval_service_pb2_grpc import ApprovalServiceStub
from countersign.audit.v1.audit_service_pb2 import AuditEvent
from countersign_approval.bootstrap import build
from countersign_approval.draft_content import canonical_content, document_of
from countersign_approval.settings import ApprovalSettings
from countersign_core.errors import CountersignError
from countersign_core.roles import Role
from countersign_platform.rpc.channel import open_channel
from countersign_platform.rpc.service import Ports, Service
from countersign_platform.rpc.status import error_from_rpc
from countersign_platform.testing.databases import Databases
from countersign_platform.testing.tokens import TestTokens

NOBODY_LISTENS = "127.0.0.1:9"


class Make:
    """Messages that a test needs; the `make` fixture is one of it."""

    def line(self, line_no: int = 1, **fields: str) -> draft_pb2.DraftLine:
        """A line that nothing blocks."""
        values = {"internal_sku": f"SKU-{line_no}", "qty": "2", "uom": "ST", "unit_price": "4.15"}
        return draft_pb2.DraftLine(line_no=line_no, **{**values, **fields})

    def content(self, *lines: draft_pb2.DraftLine, **header: str) -> draft_pb2.DraftContent:
        """A content that nothing blocks; `header` replaces fields of it."""
        values = {"external_order_number": "PO-1", "order_date": "2026-03-01", "currency": "EUR"}
        return draft_pb2.DraftContent(
            customer=draft_pb2.Customer(erp_customer_number="10042", name="Müller & Söhne"),
            header=draft_pb2.DraftHeader(**{**values, **header}),
            lines=lines or [self.line()],
        )

    def empty(self) -> draft_pb2.DraftContent:
        """A content that everything blocks."""
        return draft_pb2.DraftContent()

    def issue(self, issue_id: str = "i-1", **fields: Any) -> draft_pb2.Issue:
        """An issue that blocks."""
        values = {"code": "SKU_UNMATCHED", "message": "No such article"}
        severity = draft_pb2.ISSUE_SEVERITY_ERROR
        return draft_pb2.Issue(**{"id": issue_id, "severity": severity, **values, **fields})

    def mask(self, *paths: str) -> FieldMask:
        """An update_mask."""
        return FieldMask(paths=paths)


@dataclass(frozen=True)
class Person:
    """Somebody of an org with a token, calling one service."""

    stub: Any
    tokens: TestTokens
    org_id: UUID
    subject: str = "olga"
    roles: tuple[Role, ...] = (Role.OPERATOR,)
    metadata: tuple[tuple[str, str], ...] = field(default=())

    def called(self, subject: str, *roles: Role) -> "Person":
        """Another person of the same org."""
        return replace(self, subject=subject, roles=roles or self.roles)

    def elsewhere(self) -> "Person":
        """The same person in an org of their own."""
        return replace(self, org_id=uuid4())

    def through(self, replica: "Person") -> "Person":
        """The same person, calling another replica."""
        return replace(self, stub=replica.stub)

    def with_metadata(self, *pairs: tuple[str, str]) -> "Person":
        """The same person, sending these along."""
        return replace(self, metadata=pairs)

    def headers(self) -> tuple[tuple[str, str], ...]:
        """What goes along with a call."""
        token = self.tokens.user(self.org_id, *self.roles, subject=self.subject)
        return (("authorization", f"Bearer {token}"), *self.metadata)

    async def call(self, method: str, request: Any) -> Any:
        """One call; a refusal comes as the error that the service raised."""
        try:
            return await getattr(self.stub, method)(request, metadata=self.headers())
        except grpc.aio.AioRpcError as error:
            raise error_from_rpc(error) from error

    async def submit(self, ref: str = "", **fields: Any) -> draft_pb2.Draft:
        """A new draft; READY unless its content says otherwise."""
        request = pb.SubmitDraftRequest(
            external_ref=ref or f"ref-{uuid4()}", **{"content": Make().content(), **fields}
        )
        return (await self.call("SubmitDraft", request)).draft

    async def get(self, draft_id: str) -> draft_pb2.Draft:
        return (await self.call("GetDraft", pb.GetDraftRequest(draft_order_id=draft_id))).draft

    async def edit(self, draft_id: str, **fields: Any) -> draft_pb2.Draft:
        request = pb.EditDraftRequest(draft_order_id=draft_id, **fields)
        return (await self.call("EditDraft", request)).draft

    async def note(self, draft_id: str, text: str, **fields: Any) -> draft_pb2.Draft:
        """An edit of the notes."""
        new = draft_pb2.DraftContent(header={"notes": text})
        paths = Make().mask("header.notes")
        return await self.edit(draft_id, content=new, update_mask=paths, **fields)

    async def edit_line(self, draft_id: str, line_no: int, **fields: Any) -> draft_pb2.Draft:
        request = pb.EditDraftLineRequest(draft_order_id=draft_id, line_no=line_no, **fields)
        return (await self.call("EditDraftLine", request)).draft

    async def validate(self, draft_id: str) -> draft_pb2.Draft:
        request = pb.ValidateDraftRequest(draft_order_id=draft_id)
        return (await self.call("ValidateDraft", request)).draft

    async def approve(self, draft_id: str, **fields: Any) -> pb.ApproveDraftResponse:
        request = pb.ApproveDraftRequest(draft_order_id=draft_id, **fields)
        return await self.call("ApproveDraft", request)

    async def approve_all(self, *draft_ids: str) -> list[pb.BatchApproveResult]:
        items = [pb.ApproveDraftRequest(draft_order_id=draft_id) for draft_id in draft_ids]
        reply = await self.call("BatchApproveDrafts", pb.BatchApproveDraftsRequest(items=items))
        return list(reply.results)

    async def revoke(self, draft_id: str, **fields: Any) -> draft_pb2.Draft:
        request = pb.RevokeApprovalRequest(draft_order_id=draft_id, **fields)
        return (await self.call("RevokeApproval", request)).draft

    async def reject(self, draft_id: str, reason: str = "Doubled", **fields: Any) -> Any:
        request = pb.RejectDraftRequest(draft_order_id=draft_id, reason=reason, **fields)
        return (await self.call("RejectDraft", request)).draft

    async def list(self, **fields: Any) -> pb.ListDraftsResponse:
        return await self.call("ListDrafts", pb.ListDraftsRequest(**fields))

    async def count(self, **fields: Any) -> dict[str, tuple[int, bool]]:
        reply = await self.call("CountDrafts", pb.CountDraftsRequest(**fields))
        name = draft_pb2.DraftStatus.Name
        return {
            name(each.status).removeprefix("DRAFT_STATUS_"): (each.count, each.more)
            for each in reply.counts
        }

    async def set_policy(self, threshold: str) -> str:
        request = pb.SetApprovalPolicyRequest(four_eyes_above=threshold)
        return (await self.call("SetApprovalPolicy", request)).four_eyes_above

    async def get_policy(self) -> str:
        reply = await self.call("GetApprovalPolicy", pb.GetApprovalPolicyRequest())
        return reply.four_eyes_above

    def watch(self, cursor: str = "") -> Any:
        """The stream; call `cancel` on it."""
        request = pb.WatchDraftsRequest(after_cursor=cursor)
        return self.stub.WatchDrafts(request, metadata=self.headers(), timeout=60)


@dataclass(frozen=True)
class Refusal:
    """A call's refusal as it came over the wire; `fields` are the paths of malformed fields."""

    reason: str
    code: str
    message: str
    metadata: dict[str, str]
    fields: list[str]


Refused = Callable[[Awaitable[Any]], Awaitable[Refusal]]


@dataclass(frozen=True)
class Act:
    """One event that waits in the outbox."""

    id: UUID
    action: str
    actor: str
    before: Any
    after: Any
    event: AuditEvent


@dataclass(frozen=True)
class Rows:
    """The database as its owner sees it, and as the service's role may use it."""

    owner: asyncpg.Connection
    service: asyncpg.Connection

    async def acts(self, draft_id: str = "", *actions: str) -> list[Act]:
        """Events in the outbox, oldest first: of one draft, of some actions, or all."""
        rows = await self.owner.fetch("SELECT id, payload FROM approval.outbox ORDER BY seq")
        found = [_act(row) for row in rows]
        return [
            act
            for act in found
            if (not draft_id or act.event.draft_order_id == draft_id)
            and (not actions or act.action in actions)
        ]

    async def put_in(self, draft_id: str, *statuses: str) -> None:
        """Moves a draft as the push service would, through each of `statuses`."""
        for status in statuses:
            moved = await self.owner.fetchval(
                "SELECT moved.version FROM approval.draft_orders d, approval.move_draft("
                "  d.org_id, d.id, ARRAY[d.status], $2) AS moved WHERE d.id = $1",
                UUID(draft_id),
                status,
            )
            assert moved is not None


def _act(row: asyncpg.Record) -> Act:
    event = AuditEvent.FromString(row["payload"])
    before, after = (json.loads(text or "null") for text in (event.before_json, event.after_json))
    return Act(row["id"], event.action, event.actor_user_id, before, after, event)


@pytest.fixture
def make() -> Make:
    return Make()


@pytest.fixture
def refused() -> Refused:
    """Awaits a call that must be refused."""

    async def refused(call: Awaitable[Any]) -> Refusal:
        with pytest.raises(CountersignError) as caught:
            await call
        error = caught.value
        fields = [found.field for found in error.field_errors]
        code = error.__cause__.code().name  # type: ignore[union-attr] # raised from the RPC's error
        return Refusal(error.reason, code, error.message, dict(error.metadata), fields)

    return refused


@pytest.fixture
async def rows(databases: Databases) -> AsyncIterator[Rows]:
    owner = await asyncpg.connect(databases.owner_url)
    service = await asyncpg.connect(databases.url_for("approval"))
    yield Rows(owner, service)
    await owner.close()
    await service.close()


Register = Callable[[UUID, str], Awaitable[str]]


@pytest.fixture
def register(rows: Rows, make: Make) -> Register:
    """Puts a NEW or EXTRACTED draft into an org, with a content that nothing blocks.

    The service has no call that leaves a draft there; an importer of another kind may.
    """

    async def register(org_id: UUID, status: str) -> str:
        draft_id = uuid4()
        stored = canonical_content(document_of(make.content()))
        async with rows.service.transaction():
            await rows.service.execute(
                "INSERT INTO approval.draft_orders (org_id, id, external_ref, status,"
                " content_sha256, submission_sha256, total_value, line_count, created_by,"
                " last_edited_by) VALUES ($1, $2, $3, 'NEW', $4, $4, 8.30, 1, 'import', 'import')",
                *(org_id, draft_id, f"ref-{draft_id}", stored.sha256),
            )
            await rows.service.execute(
                "INSERT INTO approval.draft_contents (org_id, draft_id, content_version, content,"
                " content_sha256, created_by) VALUES ($1, $2, 1, $3, $4, 'import')",
                *(org_id, draft_id, stored.text, stored.sha256),
            )
        if status == "EXTRACTED":
            await rows.service.execute(
                "UPDATE approval.draft_orders SET status = $2, version = 2 WHERE id = $1",
                *(draft_id, status),
            )
        return str(draft_id)

    return register


@dataclass(frozen=True)
class Running:
    """A service in this process, and where it listens."""

    service: Service
    ports: Ports

    async def stop(self) -> None:
        await self.service.stop()


StartService = Callable[..., Awaitable[tuple[Running, Person]]]
StartReplica = Callable[..., Awaitable[Person]]


@pytest.fixture
async def start_service(databases: Databases, tokens: TestTokens) -> AsyncIterator[StartService]:
    """Starts the service in this process; each call is one more replica. Answers an operator."""
    async with AsyncExitStack() as stack:

        async def start(**settings: Any) -> tuple[Running, Person]:
            given = {
                "listen": "127.0.0.1:0",
                "probe_listen": "127.0.0.1:0",
                "jwks": tokens.jwks,
                "database_url": SecretStr(databases.url_for("approval")),
                "service_token_file": tokens.service_file(Role.RELAY),
                # So every act stays in the outbox, where a test can look at it.
                "audit_target": NOBODY_LISTENS,
                "watch_poll_seconds": 0.05,
                "drain_seconds": 5.0,
            }
            service = await build(ApprovalSettings(**{**given, **settings}))
            stack.push_async_callback(service.stop)
            running = Running(service, await service.start())
            target = f"127.0.0.1:{running.ports.rpc}"
            channel = open_channel(target, default_deadline_seconds=30)
            stack.push_async_callback(channel.close)
            return running, Person(ApprovalServiceStub(channel), tokens, uuid4())

        yield start


@pytest.fixture
def start_replica(start_service: StartService) -> StartReplica:
    """As start_service, for tests that only call it."""

    async def start(**settings: Any) -> Person:
        _, person = await start_service(**settings)
        return person

    return start


@pytest.fixture
async def olga(start_replica: StartReplica) -> Person:
    """An operator of a new org, calling the only replica."""
    return await start_replica()


@pytest.fixture
def eventually() -> Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]:
    """Asks until the answer is yes; for what no signal tells."""

    async def eventually(look: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(20):
            while not await look():
                await asyncio.sleep(0.02)

    return eventually
