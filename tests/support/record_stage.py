"""The real stack without a worker, for tests of what goes on record: the test is the worker."""

import asyncio
import importlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import grpc.aio
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from system import System
from tenant import Tenant, order
from waiting import eventually

import countersign
from countersign_core.roles import Role

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
AGENT = "auditor-test/1.0"
IP = "192.0.2.7"
WORKER = "w1"

_NO_ORG = UUID(int=0)
_SERVICE_PORTS = {
    "countersign.approval.v1.ApprovalService": "approval",
    "countersign.push.v1.PushService": "push",
    "countersign.push.v1.ConnectionService": "push",
    "countersign.push.v1.WorkService": "push",
    "countersign.audit.v1.AuditService": "audit",
    "countersign.audit.v1.SealService": "audit",
}
_WAITING = """
SELECT (SELECT count(*) FROM approval.outbox WHERE org_id = $1 AND lane = 'audit')
     + (SELECT count(*) FROM push.outbox WHERE org_id = $1 AND lane = 'audit')
"""


def every_rpc() -> dict[str, MethodDescriptor]:
    """Every method of every service in the generated stubs."""
    found: dict[str, MethodDescriptor] = {}
    for root in map(Path, countersign.__path__):
        for file in sorted(root.rglob("*_pb2.py")):
            name = ".".join(("countersign", *file.relative_to(root).with_suffix("").parts))
            for service in importlib.import_module(name).DESCRIPTOR.services_by_name.values():
                found |= {f"/{service.full_name}/{each.name}": each for each in service.methods}
    return found


# Found once, so that the descriptors are there by name.
ALL_RPCS = every_rpc()


@dataclass
class Lease:
    """A claimed export, as the worker that claimed it sees it."""

    org_id: str
    export_id: str
    fence: int
    document_sha256: str

    def as_json(self) -> dict[str, Any]:
        """For a request."""
        return {"org_id": self.org_id, "export_id": self.export_id, "fence": self.fence}


class Stage:
    """One org on the stack, and every way to act on it."""

    def __init__(self, system: System, owner: asyncpg.Connection, tenant: Tenant) -> None:
        self.system = system
        self.owner = owner
        self.tenant = tenant
        self.org = str(tenant.org)
        self.last_request_id = ""

    def token(self, *roles: Role, org: UUID | None = None) -> str:
        """A user's token; services' roles carry no org."""
        if set(roles) <= {Role.WORKER, Role.RELAY}:
            return self.system.token(None, *roles, subject="service:worker")
        return self.system.token(org or self.tenant.org, *roles, subject="olga")

    async def rpc(
        self, method: str, fields: dict[str, Any], *, token: str | None, seconds: float = 20.0
    ) -> Message:
        """Calls "/package.Service/Method"; the first reply of one that streams."""
        found = ALL_RPCS[method]
        request = ParseDict(fields, GetMessageClass(found.input_type)())
        reply = GetMessageClass(found.output_type)
        channel = self.tenant.channel(_SERVICE_PORTS[found.containing_service.full_name])
        make: Any = channel.unary_stream if found.server_streaming else channel.unary_unary
        call = make(
            method,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=reply.FromString,
        )(request, metadata=self._metadata(token), timeout=seconds)
        if found.server_streaming:
            return await _all_of(call, reply())
        answer: Message = await call
        return answer

    def _metadata(self, token: str | None) -> tuple[tuple[str, str], ...]:
        self.last_request_id = uuid4().hex
        bearer = () if token is None else (("authorization", f"Bearer {token}"),)
        return (
            *bearer,
            ("x-request-id", self.last_request_id),
            ("traceparent", f"00-{TRACE_ID}-b7ad6b7169203331-01"),
            ("x-forwarded-for-client", IP),
            ("x-client-user-agent", AGENT),
        )

    async def work(self, name: str, **fields: Any) -> Any:
        """A call of the worker."""
        method = f"/countersign.push.v1.WorkService/{name}"
        return await self.rpc(method, fields, token=self.token(Role.WORKER))

    async def recorded(self, after: int = 0, org: UUID | None = None) -> list[dict[str, Any]]:
        """The org's events above a seq, oldest first, once its outboxes are empty."""
        org_id = org or self.tenant.org
        await eventually(lambda: self._told(org_id), what="every act was told")
        rows = await self.owner.fetch(
            "SELECT * FROM audit.events WHERE org_id = $1 AND seq > $2 ORDER BY seq", org_id, after
        )
        return [dict(row) for row in rows]

    async def _told(self, org_id: UUID) -> bool:
        return bool(await self.owner.fetchval(_WAITING, org_id) == 0)

    async def denied(self, request_id: str) -> list[dict[str, Any]]:
        """Every event of a call, in the trail of the org and in that of nobody."""
        for org_id in (self.tenant.org, _NO_ORG):
            await self.recorded(org=org_id)
        rows = await self.owner.fetch(
            "SELECT * FROM audit.events WHERE request_id = $1", request_id
        )
        return [dict(row) for row in rows]

    # What a test begins with.

    async def ready(self) -> str:
        """A READY draft."""
        return str((await self.tenant.submit())["id"])

    async def in_review(self) -> str:
        """A draft that NEEDS_REVIEW."""
        return str((await self.tenant.submit(customer=None))["id"])

    async def approved(self) -> str:
        """An APPROVED draft."""
        return str((await self.tenant.approved())["id"])

    async def connection(self) -> str:
        """The org's only connection."""
        found = (await self.tenant.http.get("/erp-connections")).json()
        return str(found["connections"][0]["id"])

    async def pushed(self) -> tuple[str, str]:
        """A PUSHING draft and its export."""
        draft = await self.approved()
        return draft, str((await self.tenant.push(draft)).json()["erp_export_id"])

    async def claimed(self) -> tuple[str, Lease]:
        """The same, claimed."""
        draft, export = await self.pushed()
        return draft, await self.claim(export)

    async def claim(self, export: str) -> Lease:
        """Claims the export."""
        reply = await self.work("ClaimExport", org_id=self.org, export_id=export, worker_id=WORKER)
        given = reply.assignment
        return Lease(self.org, export, given.lease.fence, given.document_sha256)

    async def staged(self) -> tuple[str, Lease]:
        """The same, staged."""
        draft, lease = await self.claimed()
        await self.work("ReportStaged", **staged_report(lease))
        return draft, lease

    async def sent(self) -> tuple[str, str]:
        """A PUSHED draft, and the file name of its export."""
        draft, lease = await self.staged()
        await self.work("ReportSent", lease=lease.as_json(), evidence=1)
        export = (await self.tenant.http.get(f"/erp-exports/{lease.export_id}")).json()
        return draft, str(export["file_name"])

    async def failed(self) -> tuple[str, str]:
        """A draft in ERROR and its FAILED export."""
        draft, lease = await self.claimed()
        await self.work("ReportFailed", lease=lease.as_json(), error=FAILURE)
        return draft, lease.export_id

    async def deferred(self) -> tuple[str, str]:
        """A PUSHING draft and its export, which waits for its next attempt."""
        draft, lease = await self.claimed()
        await self.work("ReportDeferred", lease=lease.as_json(), error=FAILURE)
        return draft, lease.export_id

    async def written(self) -> tuple[str, str]:
        """A PUSHING draft and its export, whose bytes were written."""
        draft, lease = await self.staged()
        return draft, lease.export_id

    async def held(self) -> tuple[str, str]:
        """A PUSHING draft and its export, whose outcome nobody knows."""
        draft, lease = await self.staged()
        await self.work("ReportHeld", lease=lease.as_json(), error=FAILURE)
        return draft, lease.export_id

    async def status(self, draft: str) -> str:
        """Where the draft stands."""
        return str((await self.tenant.draft(draft))["status"])

    async def export_status(self, draft: str) -> str:
        """Where the draft's last export stands."""
        return str(
            await self.owner.fetchval(
                "SELECT status FROM push.exports WHERE draft_id = $1 ORDER BY created_at DESC"
                " LIMIT 1",
                UUID(draft),
            )
        )


FAILURE = {"code": "DISK_FULL", "message": "The disk is full"}


def staged_report(lease: Lease) -> dict[str, Any]:
    """ReportStaged of a file."""
    return {
        "lease": lease.as_json(),
        "staged_name": f".tmp.{lease.export_id}.{lease.fence}",
        "document_sha256": lease.document_sha256,
    }


def content() -> dict[str, Any]:
    """What a submit over gRPC carries."""
    body = order()
    return {name: body[name] for name in ("customer", "header", "lines")}


def folder(stage: Stage) -> str:
    """Settings of a connection to the tenant's folder."""
    return json.dumps({"transport": "folder", "export_path": str(stage.tenant.dropzone)})


async def _all_of(call: grpc.aio.UnaryStreamCall[Any, Any], none: Message) -> Message:
    """The last reply, or nothing after a moment of silence: a watch never ends."""
    last = none
    try:
        async with asyncio.timeout(2.0):
            async for reply in call:
                last = reply
    except TimeoutError:
        call.cancel()
    return last
