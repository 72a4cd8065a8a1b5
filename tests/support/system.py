"""The whole system as real processes, for tests: any number of replicas, faults on demand."""

import asyncio
import base64
import os
import secrets
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
from tenant import Tenant
from waiting import NO_TLS

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

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Started and ready in this block, killed after it."""
        await self.start()
        try:
            await self.ready()
            yield
        finally:
            await self.kill()

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
    async def tenant(self, **connection: Any) -> AsyncIterator[Tenant]:
        """A new org with an active connection to a folder of its own."""
        tenant = Tenant(self, uuid4())
        try:
            if connection.get("connected", True):
                await tenant.connect()
            yield tenant
        finally:
            await tenant.close()
