"""The whole system as real processes, for tests: any number of replicas, faults on demand."""

import asyncio
import base64
import json
import os
import secrets
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import grpc
import httpx

from countersign_core.roles import Role
from countersign_platform.auth.minting import (
    JWKS_FILE_NAME,
    KEY_FILE_NAME,
    create_signing_key,
    mint_token,
)
from countersign_platform.testing.leash import Leash
from countersign_platform.testing.ports import HOST, free_ports

MODULES = {
    "approval": "countersign_approval",
    "push": "countersign_push",
    "audit": "countersign_audit",
    "worker": "countersign_export_worker",
    "gateway": "countersign_gateway",
}
READY_SECONDS = 240.0
# A condition that is met costs nothing to wait for longer.
PATIENCE_SECONDS = 120.0
PAGE = 500
# Loading every authority that this machine trusts takes 50 ms, for each client.
NO_TLS = False


async def eventually(
    look: Callable[[], Awaitable[Any]],
    *,
    seconds: float = PATIENCE_SECONDS,
    what: str = "condition",
    pause: float = 0.05,
) -> Any:
    """Call `look` until it answers something true."""
    deadline = time.monotonic() + seconds
    while True:
        found = await look()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        await asyncio.sleep(pause)


@dataclass
class Process:
    """One real process of the system."""

    name: str
    environment: dict[str, str]
    folder: Path
    port: int
    probe_port: int
    process: asyncio.subprocess.Process | None = None
    leash: Leash | None = None

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    async def start(self) -> None:
        module = MODULES[self.name.split("-")[0]]
        with self.log.open("ab") as output:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                module,
                env=self.environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._let_go()
        self.leash = Leash(self.pid)

    async def ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        async with httpx.AsyncClient(timeout=2.0, verify=NO_TLS) as client:
            while time.monotonic() < deadline:
                assert self.process is not None
                assert self.process.returncode is None, f"{self.name} ended\n{self.tail()}"
                try:
                    if (await client.get(f"http://{HOST}:{self.probe_port}/readyz")).is_success:
                        return
                except httpx.HTTPError:
                    pass
                await asyncio.sleep(0.05)
        raise AssertionError(f"{self.name} is not ready\n{self.tail()}")

    def tail(self, lines: int = 40) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    async def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
        self._let_go()

    async def stop(self, seconds: float = 60.0) -> int:
        """SIGTERM; returns the exit code."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.terminate()
            try:
                await asyncio.wait_for(self.process.wait(), seconds)
            except TimeoutError:
                await self.kill()
                raise AssertionError(f"{self.name} did not drain\n{self.tail()}") from None
        self._let_go()
        assert self.process.returncode is not None
        return self.process.returncode

    def _let_go(self) -> None:
        if self.leash is not None:
            self.leash.release()
            self.leash = None


@dataclass
class System:
    """Processes of one system and everything to talk to it."""

    folder: Path
    database_urls: dict[str, str]
    broker_url: str | None = None
    redis_url: str | None = None
    settings: dict[str, str] = field(default_factory=dict)
    processes: dict[str, Process] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.keys = self.folder / "keys"
        self.keys.mkdir(parents=True)
        self.archive = self.folder / "archive"
        self.signing_key = create_signing_key(self.keys)
        for name, role in (("relay", Role.RELAY), ("worker", Role.WORKER)):
            self._service_token(name, role)
        create_signing_key(self.keys / "audit")
        ring = "k1:" + base64.b64encode(secrets.token_bytes(32)).decode()
        (self.keys / "secret_keys").write_text(ring)

    def _service_token(self, name: str, role: Role) -> None:
        token = mint_token(
            self.signing_key, subject=f"service:{name}", roles=[role], lifetime_seconds=86400
        )
        (self.keys / f"{name}.token").write_text(token)

    def token(
        self,
        org: UUID | None,
        *roles: Role,
        subject: str = "user-1",
        seconds: int = 3600,
        slug: str = "acme",
    ) -> str:
        for_org: dict[str, Any] = {"org_id": org, "org_slug": slug} if org else {}
        return mint_token(
            self.signing_key,
            subject=subject,
            roles=list(roles),
            lifetime_seconds=seconds,
            **for_org,
        )

    async def start(
        self,
        *,
        approval: int = 1,
        push: int = 1,
        audit: int = 1,
        workers: int = 1,
        gateways: int = 1,
    ) -> None:
        counts = {"audit": audit, "approval": approval, "push": push, "worker": workers}
        names = [f"{kind}-{n}" for kind, count in counts.items() for n in range(1, count + 1)]
        ports = {
            name: free_ports(1)[0]
            for name in [*names, *(f"gateway-{n}" for n in range(1, gateways + 1))]
        }

        def target(kind: str) -> str:
            """Every replica of one service, as one gRPC target."""
            hosts = [
                f"{HOST}:{port}" for name, port in ports.items() if name.startswith(f"{kind}-")
            ]
            return f"ipv4:{','.join(hosts)}" if len(hosts) > 1 else hosts[0]

        self.targets = {kind: target(kind) for kind in ("approval", "push", "audit")}
        for name, port in ports.items():
            self.processes[name] = self._process(name, port)
            await self.processes[name].start()
        await asyncio.gather(*(process.ready() for process in self.processes.values()))

    def _process(self, name: str, port: int) -> Process:
        kind = name.split("-", maxsplit=1)[0]
        probe = free_ports(1)[0]
        environment = {
            key: value for key, value in os.environ.items() if not key.startswith("COUNTERSIGN_")
        }
        environment |= {
            "COUNTERSIGN_JWKS": str(self.keys / "jwks.json"),
            "COUNTERSIGN_PROBE_LISTEN": f"{HOST}:{probe}",
            "COUNTERSIGN_LISTEN": f"{HOST}:{port}",
        }
        if kind in self.database_urls:
            environment["COUNTERSIGN_DATABASE_URL"] = self.database_urls[kind]
        for other, target in self.targets.items():
            environment[f"COUNTERSIGN_{other.upper()}_TARGET"] = target
        if kind == "audit":
            audit = self.keys / "audit"
            environment["COUNTERSIGN_AUDIT_SIGNING_KEY_FILE"] = str(audit / KEY_FILE_NAME)
            environment["COUNTERSIGN_AUDIT_KEYS"] = str(audit / JWKS_FILE_NAME)
            environment["COUNTERSIGN_ARCHIVE_URL"] = self.archive.as_uri()
        if kind in {"push", "worker"} and self.broker_url:
            environment["COUNTERSIGN_BROKER_URL"] = self.broker_url
        if kind == "push":
            environment["COUNTERSIGN_SECRET_KEYS_FILE"] = str(self.keys / "secret_keys")
            environment["COUNTERSIGN_ARCHIVE_URL"] = self.archive.as_uri()
            if self.redis_url:
                environment["COUNTERSIGN_REDIS_URL"] = self.redis_url
        token = "worker" if kind == "worker" else "relay"
        environment["COUNTERSIGN_SERVICE_TOKEN_FILE"] = str(self.keys / f"{token}.token")
        return Process(name, environment | self.settings, self.folder, port, probe)

    async def stop(self) -> None:
        for name in reversed(list(self.processes)):
            await self.processes[name].kill()

    def named(self, kind: str) -> list[Process]:
        return [process for name, process in self.processes.items() if name.startswith(f"{kind}-")]

    def url(self, number: int = 1) -> str:
        return f"http://{HOST}:{self.processes[f'gateway-{number}'].port}"

    @asynccontextmanager
    async def tenant(self, **connection: Any) -> AsyncIterator["Tenant"]:
        """A new org with an active connection to a folder of its own."""
        tenant = Tenant(self, uuid4())
        try:
            if connection.get("connected", True):
                await tenant.connect()
            yield tenant
        finally:
            await tenant.close()


class Tenant:
    """One org: its tokens, its clients, its dropzone."""

    def __init__(self, system: System, org: UUID) -> None:
        self.system = system
        self.org = org
        self.dropzone = system.folder / f"dropzone-{org}"
        self.dropzone.mkdir()
        self._clients: list[httpx.AsyncClient] = []
        self._channels: list[grpc.aio.Channel] = []
        self.http = self.client(Role.ADMIN)

    def client(
        self, *roles: Role, subject: str = "user-1", gateway: int = 1, **headers: str
    ) -> httpx.AsyncClient:
        token = self.system.token(self.org, *roles, subject=subject)
        client = httpx.AsyncClient(
            base_url=self.system.url(gateway),
            headers={"Authorization": f"Bearer {token}", **headers},
            timeout=60.0,
            verify=NO_TLS,
            limits=httpx.Limits(max_connections=64),
        )
        self._clients.append(client)
        return client

    def channel(self, kind: str) -> grpc.aio.Channel:
        channel = grpc.aio.insecure_channel(self.system.targets[kind])
        self._channels.append(channel)
        return channel

    def metadata(
        self, *roles: Role, subject: str = "user-1", **more: str
    ) -> tuple[tuple[str, str], ...]:
        token = self.system.token(self.org, *(roles or (Role.ADMIN,)), subject=subject)
        extra = tuple((name.replace("_", "-"), value) for name, value in more.items())
        return (("authorization", f"Bearer {token}"), *extra)

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()
        for channel in self._channels:
            await channel.close()

    async def connect(self) -> str:
        body = {
            "name": "folder",
            "connector_type": "DROPZONE_JSON_V1",
            "config": {"transport": "folder", "export_path": str(self.dropzone)},
        }
        answer = await self.http.post("/erp-connections", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def submit(self, **changes: Any) -> dict[str, Any]:
        answer = await self.http.post("/draft-orders", json=order(**changes))
        assert answer.status_code == 201, answer.text
        return answer.json()  # type: ignore[no-any-return]

    async def approved(self, **changes: Any) -> dict[str, Any]:
        draft = await self.submit(**changes)
        answer = await self.http.post(f"/draft-orders/{draft['id']}/approve")
        assert answer.status_code == 200, answer.text
        return draft

    async def approved_many(self, count: int) -> list[str]:
        drafts = await asyncio.gather(*(self.submit() for _ in range(count)))
        ids = [draft["id"] for draft in drafts]
        items = [{"draft_order_id": each} for each in ids]
        answer = await self.http.post("/draft-orders/batch-approve", json={"items": items})
        assert answer.status_code == 200, answer.text
        return ids

    async def push(self, draft_id: str, **headers: str) -> httpx.Response:
        return await self.http.post(f"/draft-orders/{draft_id}/push", headers=headers)

    async def draft(self, draft_id: str) -> dict[str, Any]:
        answer = await self.http.get(f"/draft-orders/{draft_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()  # type: ignore[no-any-return]

    async def wait_status(
        self, draft_id: str, status: str, seconds: float = PATIENCE_SECONDS
    ) -> dict[str, Any]:
        async def look() -> dict[str, Any] | None:
            draft = await self.draft(draft_id)
            return draft if draft["status"] == status else None

        return await eventually(look, seconds=seconds, what=f"{draft_id} is {status}")  # type: ignore[no-any-return]

    async def wait_all(self, status: str, count: int, seconds: float = PATIENCE_SECONDS) -> None:
        """Until `count` drafts of the org have this status."""

        async def look() -> bool:
            return len(await self.ids(status)) == count

        # Counting many is work for the very processes that are waited for.
        pause = min(0.05 + count / 200, 5.0)
        what = f"{count} drafts are {status}"
        await eventually(look, seconds=seconds, what=what, pause=pause)

    async def ids(self, status: str) -> list[str]:
        return [row["id"] for row in await self.pages("/draft-orders", "drafts", status=status)]

    async def pages(self, path: str, member: str, **params: Any) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        token = ""
        while True:
            query = params | {"page_size": PAGE} | ({"page_token": token} if token else {})
            answer = await self.http.get(path, params=query)
            assert answer.status_code == 200, answer.text
            rows += answer.json()[member]
            token = answer.json()["next_page_token"]
            if not token:
                return rows

    async def audit(self, **filters: Any) -> list[dict[str, Any]]:
        return await self.pages("/audit-log", "events", **filters)

    async def wait_audit(
        self, count: int, seconds: float = PATIENCE_SECONDS, **filters: Any
    ) -> list[dict[str, Any]]:
        """Until the trail has `count` events that fit; then all of them."""

        async def look() -> list[dict[str, Any]] | None:
            events = await self.audit(**filters)
            return events if len(events) >= count else None

        events = await eventually(look, seconds=seconds, what=f"{count} audit events {filters}")
        assert len(events) == count, [event["action"] for event in events]
        return events  # type: ignore[no-any-return]

    def files(self) -> list[Path]:
        """What the ERP can see: final names only."""
        return sorted(
            path for path in self.dropzone.iterdir() if path.name.startswith("sales_order_")
        )

    def documents(self) -> list[dict[str, Any]]:
        return [json.loads(path.read_text(), parse_float=str) for path in self.files()]


def order(**changes: Any) -> dict[str, Any]:
    """A submit body that comes out READY; `changes` replace its members."""
    body: dict[str, Any] = {
        "external_ref": f"ref-{uuid4().hex}",
        "customer": {"erp_customer_number": "12923", "name": "Spaceboy Gifts Ltd"},
        "header": {"external_order_number": "PO-1", "order_date": "2026-11-02", "currency": "GBP"},
        "lines": [
            {
                "line_no": 1,
                "internal_sku": "23256",
                "qty": "2",
                "uom": "ST",
                "unit_price": "4.15",
                "description": "CUTLERY",
            }
        ],
    }
    return body | changes
