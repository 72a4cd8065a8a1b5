"""What the tests of the worker share."""

import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from countersign_core.roles import Role
from countersign_export_worker.bootstrap import Worker, build
from countersign_export_worker.settings import WorkerSettings
from countersign_export_worker.testing.work_server import WorkServer
from countersign_export_worker.testing.work_twin import WorkTwin
from countersign_platform.testing.tokens import TestTokens

_NOBODY = 65534
# A condition that is met costs nothing to wait for longer.
_PATIENCE_SECONDS = 120.0


@pytest.fixture
def dropzone() -> Iterator[Path]:
    """An empty folder that every user may reach and write to."""
    folder = Path(tempfile.mkdtemp(prefix="countersign-dropzone-"))
    folder.chmod(0o777)
    yield folder
    folder.chmod(0o777)
    shutil.rmtree(folder)


@pytest.fixture
def ordinary_user() -> Callable[[], AbstractContextManager[None]]:
    """A block in which this process has none of root's rights, if it had them."""
    return _ordinary_user


@contextmanager
def _ordinary_user() -> Iterator[None]:
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(_NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@dataclass
class Bench:
    """Push's twin on a real socket, and workers against it, in this process or in their own."""

    twin: WorkTwin
    server: WorkServer
    target: str
    token_file: Path
    workers: list[Worker] = field(default_factory=list)
    processes: list[asyncio.subprocess.Process] = field(default_factory=list)

    def settings(self, **changes: object) -> WorkerSettings:
        values: dict[str, object] = {
            "push_target": self.target,
            "service_token_file": self.token_file,
            "probe_listen": "127.0.0.1:0",
            "claim_wait_seconds": 1.0,
            "sweep_interval_seconds": 600.0,
            "ack_ask_seconds": 600.0,
            "drain_seconds": 10.0,
        }
        return WorkerSettings(**(values | changes))

    async def work(self, **changes: object) -> tuple[Worker, int]:
        """A worker in this process; and its probes' port."""
        worker = await build(self.settings(**changes))
        self.workers.append(worker)
        return worker, await worker.start()

    async def spawn(
        self, module: str = "countersign_export_worker", **environment: str
    ) -> asyncio.subprocess.Process:
        """A worker in a process of its own."""
        inherited = {key: value for key, value in os.environ.items() if "COUNTERSIGN" not in key}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            env=inherited
            | {
                "COUNTERSIGN_PUSH_TARGET": self.target,
                "COUNTERSIGN_SERVICE_TOKEN_FILE": str(self.token_file),
                "COUNTERSIGN_PROBE_LISTEN": "127.0.0.1:0",
                "COUNTERSIGN_CLAIM_WAIT_SECONDS": "1",
            }
            | environment,
            stderr=asyncio.subprocess.PIPE,
        )
        self.processes.append(process)
        return process

    async def close(self) -> None:
        for worker in self.workers:
            await worker.stop()
        for process in self.processes:
            if process.returncode is None:
                process.kill()
            await process.communicate()
        await self.server.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """A bench; its twin's lease lasts 30 s of real time."""
    tokens = TestTokens(tmp_path / "keys")
    twin = WorkTwin(clock=time.monotonic)
    server = WorkServer(twin, tokens.jwks)
    target = await server.start()
    bench = Bench(twin, server, target, tokens.service_file(Role.WORKER))
    yield bench
    await bench.close()


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], Awaitable[None]]:
    """Wait until something holds that another process or task brings about."""
    return _eventually


async def _eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while not holds():
            await asyncio.sleep(0.01)
