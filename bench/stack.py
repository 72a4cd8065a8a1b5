"""The product as it ships, on servers of its own, for one benchmark run."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import jwt

from countersign_cli.stack.keys import mint
from countersign_cli.stack.layout import Layout
from countersign_cli.stack.ports import HOST, Ports, free_ports
from countersign_cli.stack.stack import Stack
from countersign_core.roles import Role

# PostgreSQL's defaults are for small machines. Contenders that use a database share this server.
_POSTGRES = {"shared_buffers": "1GB", "max_wal_size": "4GB"}


@dataclass(frozen=True, slots=True)
class BenchStack:
    """A running stack: where it answers, who its processes are, how to reach its database."""

    stack: Stack
    org: UUID

    @property
    def ports(self) -> Ports:
        """Where its processes listen."""
        return self.stack.ports

    @property
    def pids(self) -> Mapping[str, int]:
        """Root process by name, PostgreSQL's postmaster included."""
        postmaster = self.stack.layout.postgres / "data" / "postmaster.pid"
        return {**self.stack.pids, "postgres": int(postmaster.read_text().split()[0])}

    def target(self, service: str) -> str:
        """host:port of a service."""
        return f"{HOST}:{getattr(self.ports, service)}"

    def token(self, *roles: Role, subject: str = "bench") -> str:
        """A token of the benchmark's org."""
        return mint(
            self.stack.layout,
            subject=subject,
            roles=list(roles or (Role.ADMIN,)),
            seconds=36_000,
            org_id=self.org,
            org_slug="bench",
        )

    def claims(self) -> dict[str, Any]:
        """What such a token says."""
        return dict(jwt.decode(self.token(), options={"verify_signature": False}))

    @property
    def gateway(self) -> str:
        """host:port of the REST face."""
        return self.target("gateway")

    @property
    def folder(self) -> Path:
        """Removed at the end, with whatever was put into it."""
        return self.stack.layout.home

    def service_url(self, service: str) -> str:
        """URL of the database, as that service has it."""
        return self.stack.database_url(service)

    def environment(self, service: str) -> dict[str, str]:
        """The settings that the service was started with, for one more replica of it."""
        return self.stack.environment(service)

    async def database(self) -> asyncpg.Connection:
        """A connection as the owner; the caller closes it."""
        return await asyncpg.connect(self.stack.owner_url)


@asynccontextmanager
async def running_stack(
    *,
    broker_url: str | None = None,
    redis_url: str | None = None,
    workers: int = 1,
    console_folder: Path | None = None,
) -> AsyncIterator[BenchStack]:
    """A stack in a temporary folder, stopped and removed at the end."""
    home = Path(tempfile.mkdtemp(prefix="countersign-bench-"))
    home.chmod(0o755)  # PostgreSQL runs as another user when we are root
    stack = Stack(
        Layout(home),
        free_ports(),
        broker_url=broker_url,
        redis_url=redis_url,
        workers=workers,
        console_folder=console_folder,
        postgres_settings=_POSTGRES,
    )
    try:
        await stack.start()
        try:
            yield BenchStack(stack, uuid4())
        finally:
            await stack.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)
