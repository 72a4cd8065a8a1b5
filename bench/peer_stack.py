"""The FastAPI + Celery peer, running on the same PostgreSQL, RabbitMQ and Redis as the product."""

import asyncio
import json
import subprocess
import sys
import venv
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import asyncpg
import httpx
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt import PyJWK

from bench import seed
from bench.stack import BenchStack
from countersign_cli.stack.ports import HOST
from countersign_platform.testing.ports import free_ports

_CODE = Path(__file__).parent / "peers" / "fastapi_celery"
_ROOT = Path(__file__).parent.parent
_VENV = _ROOT / ".venv-bench-peer"
# One per core, as uvicorn's and Celery's documentation advise.
_PROCESSES = 2
_DATABASE = "peer"
_READY_SECONDS = 60

_DRAFTS = """
WITH made AS (
    INSERT INTO draft_orders (
           id, org_id, status, version, erp_customer_number, customer_name,
           external_order_number, order_date, currency, created_by, approved_at, approved_by)
    SELECT gen_random_uuid(), $1, 'APPROVED', 2, '12923', 'Spaceboy Gifts Ltd', 'PO-1',
           '2026-11-02', 'GBP', 'bench', now(), 'bench-approver'
      FROM generate_series(1, $2::int)
    RETURNING id
), lines AS (
    INSERT INTO draft_order_lines (
           draft_id, line_no, internal_sku, qty, uom, unit_price, description)
    SELECT id, n, (23000 + n)::text, 2, 'ST', 4.15, 'RETROSPOT LAMP SHADE'
      FROM made CROSS JOIN generate_series(1, 3) n
)
SELECT id FROM made
"""


_EXPORTS = """
WITH moved AS (
    UPDATE draft_orders SET status = 'PUSHING', version = version + 1
     WHERE org_id = $1 AND id = ANY ($2::uuid[])
    RETURNING id
)
INSERT INTO erp_exports (id, org_id, draft_id, connection_id, status, created_by)
SELECT gen_random_uuid(), $1, moved.id, c.id, 'PENDING', 'bench'
  FROM moved JOIN erp_connections c ON c.org_id = $1
RETURNING id
"""


@dataclass(slots=True)
class PeerStack:
    """The peer's processes and database."""

    database_url: str
    environment: Mapping[str, str]
    port: int
    logs: Path
    processes: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)

    @property
    def pids(self) -> dict[str, int]:
        """Root process by name."""
        return {name: process.pid for name, process in self.processes.items()}

    async def create_tables(self) -> None:
        """The schema, in the empty database."""
        await self._start("tables", "create_tables")
        if await self.processes.pop("tables").wait():
            raise RuntimeError((self.logs / "peer-tables.log").read_text()[-2000:])

    async def start_api(self) -> None:
        """uvicorn, ready."""
        await self._start(
            "uvicorn",
            *("uvicorn", "app:app", "--host", HOST, "--port", str(self.port)),
            *("--workers", str(_PROCESSES), "--no-access-log", "--log-level", "warning"),
        )
        async with httpx.AsyncClient(base_url=f"http://{HOST}:{self.port}") as http:
            async with asyncio.timeout(_READY_SECONDS):
                while not await _answers(http):
                    await asyncio.sleep(0.1)

    async def start_worker(self, processes: int = _PROCESSES) -> None:
        """One `celery worker`, which begins with what waits in the queue."""
        await self._start(
            "celery",
            *("celery", "--app", "tasks", "worker", "--concurrency", str(processes)),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
            *("--loglevel", "WARNING"),
        )

    async def enqueue(self, exports: Iterable[UUID]) -> None:
        """A task for each, as the API would send it."""
        process = await asyncio.create_subprocess_exec(
            *(str(_VENV / "bin" / "python"), "-m", "enqueue"),
            cwd=_CODE,
            env=self.environment,
            stdin=asyncio.subprocess.PIPE,
        )
        await process.communicate("\n".join(map(str, exports)).encode())
        if process.returncode:
            raise RuntimeError("the peer's tasks could not be sent")

    async def stop(self, name: str) -> None:
        """Ends one of them in good order."""
        process = self.processes.pop(name)
        process.terminate()
        await process.wait()

    async def database(self) -> asyncpg.Connection:
        """A connection; the caller closes it."""
        return await asyncpg.connect(self.database_url)

    async def _start(self, name: str, *command: str) -> None:
        with (self.logs / f"peer-{name}.log").open("ab") as log:
            self.processes[name] = await asyncio.create_subprocess_exec(
                *(str(_VENV / "bin" / "python"), "-m", *command),
                cwd=_CODE,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


async def drafts(database: asyncpg.Connection, org: UUID, count: int) -> list[UUID]:
    """`count` more approved drafts of three lines; their ids."""
    rows = await database.fetch(_DRAFTS, org, count)
    await seed.settle(database)
    return [row["id"] for row in rows]


async def exports(database: asyncpg.Connection, org: UUID, count: int) -> list[UUID]:
    """`count` pushed drafts; the ids of their exports, which nobody was told of."""
    rows = await database.fetch(_EXPORTS, org, await drafts(database, org, count))
    await seed.settle(database)
    return [row["id"] for row in rows]


async def connect_folder(database: asyncpg.Connection, org: UUID, folder: Path) -> None:
    """The org's one active connection."""
    folder.mkdir(exist_ok=True)
    await database.execute(
        "INSERT INTO erp_connections (id, org_id, active, export_path)"
        " VALUES (gen_random_uuid(), $1, true, $2)",
        org,
        str(folder),
    )


@asynccontextmanager
async def peer_stack(
    stack: BenchStack, *, broker_url: str, redis_url: str
) -> AsyncIterator[PeerStack]:
    """The peer beside `stack`, its tables made, nothing of it started yet."""
    await asyncio.to_thread(_install)
    url = await _create_database(stack)
    environment = {
        "PATH": "/usr/bin:/bin",
        "PEER_DATABASE_URL": url.replace("postgresql://", "postgresql+psycopg://"),
        "PEER_REDIS_URL": redis_url,
        "PEER_BROKER_URL": broker_url,
        **_token_settings(stack),
    }
    (port,) = free_ports(1)
    peer = PeerStack(url, environment, port, stack.stack.layout.logs)
    await peer.create_tables()
    try:
        yield peer
    finally:
        for name in list(peer.processes):
            await peer.stop(name)


def _install() -> None:
    """Makes the peer's own environment, unless it is there for these versions and this Python."""
    locked = _CODE / "requirements.txt"
    wanted = f"{sys.version} {sha256(locked.read_bytes()).hexdigest()}"
    stamp = _VENV / ".installed"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    venv.create(_VENV, clear=True)
    python = str(_VENV / "bin" / "python")
    install = ["--quiet", "--require-hashes", "-r", str(locked)]
    uv = Path(sys.executable).with_name("uv")
    done = subprocess.run([uv, "pip", "install", "--python", python, *install], check=False)
    if done.returncode != 0:  # it cannot reach an index that only pip is set up for
        pip = [sys.executable, "-m", "pip", "--python", python]
        subprocess.run([*pip, "install", *install], check=True)
    stamp.write_text(wanted)


async def _create_database(stack: BenchStack) -> str:
    owner = await stack.database()
    await owner.execute(f"CREATE DATABASE {_DATABASE}")
    await owner.close()
    return urlunsplit(urlsplit(stack.stack.owner_url)._replace(path=f"/{_DATABASE}"))


def _token_settings(stack: BenchStack) -> dict[str, str]:
    """The same tokens for both: the public key, who issues them and for whom."""
    key_set = json.loads((stack.stack.layout.keys / "jwks.json").read_text())
    public = PyJWK.from_dict(key_set["keys"][0]).key
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    claims = stack.claims()
    return {
        "PEER_PUBLIC_KEY": pem,
        "PEER_ISSUER": claims["iss"],
        "PEER_AUDIENCE": claims["aud"],
    }


async def _answers(http: httpx.AsyncClient) -> bool:
    try:
        return (await http.get("/healthz")).is_success
    except httpx.TransportError:
        return False
