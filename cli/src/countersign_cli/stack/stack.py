"""The whole stack: keys, PostgreSQL, migrations, five processes."""

import asyncio
import fcntl
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from countersign_cli.stack.environment import Backends, process_environments
from countersign_cli.stack.keys import current_secret_key, ensure_keys
from countersign_cli.stack.layout import Layout
from countersign_cli.stack.ports import HOST, Ports
from countersign_cli.stack.processes import (
    RESTART_SECONDS,
    Running,
    start_process,
    stop_process,
    wait_ready,
)
from countersign_platform.database.migrate import upgrade
from countersign_platform.embedded_postgres import EmbeddedPostgres

Report = Callable[[str], None]


class StackRunningError(Exception):
    """Another stack runs in the same folder."""


class Stack:
    """Start and stop of the one-machine stack. Use it once."""

    def __init__(
        self,
        layout: Layout,
        ports: Ports,
        *,
        broker_url: str | None = None,
        redis_url: str | None = None,
        workers: int = 1,
        console_folder: Path | None = None,
        postgres_settings: Mapping[str, str] | None = None,
        report: Report = lambda _: None,
    ) -> None:
        """`workers`: 0 leaves what is pushed waiting. `postgres_settings`: PostgreSQL's own."""
        self.layout = layout
        self.ports = ports
        self._broker_url = broker_url
        self._redis_url = redis_url
        self._workers = workers
        self.console_folder = console_folder
        self._report = report
        self._postgres = EmbeddedPostgres(layout.postgres, settings=postgres_settings)
        self._environments: dict[str, dict[str, str]] = {}
        self._worker_environment: dict[str, str] = {}
        self._running: dict[str, Running] = {}
        self._lock: IO[str] | None = None

    @property
    def url(self) -> str:
        """Where the gateway answers."""
        return f"http://{HOST}:{self.ports.gateway}"

    @property
    def owner_url(self) -> str:
        """URL of the database as its owner; while it runs."""
        return self._postgres.url("countersign")

    def database_url(self, service: str) -> str:
        """URL of the database as that service has it; while it runs."""
        return self._environments[service]["COUNTERSIGN_DATABASE_URL"]

    def environment(self, name: str) -> dict[str, str]:
        """What that process was started with; once it runs."""
        return dict(self._environments[name])

    @property
    def pids(self) -> dict[str, int]:
        """Process id by name."""
        return {name: running.process.pid for name, running in self._running.items()}

    async def start(self) -> None:
        """Bring everything up; what fails on the way is stopped again.

        Raises:
            StackRunningError: another stack runs in this folder.
            PortBusyError: a port is taken.
            ProcessFailedError: a process did not become ready.
        """
        self.layout.create()
        self._take_lock()
        self.ports.check_free()
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def _start(self) -> None:
        ensure_keys(self.layout)
        secret_key = current_secret_key(self.layout)
        self._report("PostgreSQL")
        await asyncio.to_thread(self._postgres.start)
        await asyncio.to_thread(self._postgres.create_database, "countersign")
        self._report("migrations")
        approval, push, audit = (f"countersign_{name}" for name in ("approval", "push", "audit"))
        passwords = dict.fromkeys((approval, push, audit), self._postgres.password)
        await upgrade(self._postgres.url("countersign"), passwords=passwords)
        backends = Backends(
            approval_url=self._postgres.url("countersign", approval),
            push_url=self._postgres.url("countersign", push),
            audit_url=self._postgres.url("countersign", audit),
            broker_url=self._broker_url,
            redis_url=self._redis_url,
            console_folder=self.console_folder,
        )
        self._environments = self._with_replicas(
            process_environments(self.layout, self.ports, backends)
        )
        for name, environment in self._environments.items():
            self._report(name)
            self._running[name] = await start_process(name, environment, self.layout.logs)
        for name in self._environments:
            await self._wait_ready(name)
        self.layout.write_state(
            {
                "url": self.url,
                "pids": self.pids,
                "pid": os.getpid(),
                "postgres_port": urlsplit(self.owner_url).port,
                "secret_key": secret_key,
            }
        )

    def _with_replicas(self, environments: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        self._worker_environment = worker = environments["worker"]
        if not self._workers:
            del environments["worker"]
        for number in range(2, self._workers + 1):
            probe = {"COUNTERSIGN_PROBE_LISTEN": f"{HOST}:0"}
            environments[f"worker-{number}"] = worker | probe
        return environments

    async def start_worker(self) -> None:
        """The first worker of a stack that was started without one; returns when it is ready."""
        self._environments["worker"] = self._worker_environment
        self._running["worker"] = await start_process(
            "worker", self._worker_environment, self.layout.logs
        )
        await self._wait_ready("worker")

    async def _wait_ready(self, name: str) -> None:
        listen = self._environments[name]["COUNTERSIGN_PROBE_LISTEN"]
        if not listen.endswith(":0"):
            await wait_ready(self._running[name], f"http://{listen}")

    async def watch(self, stop: asyncio.Event) -> None:
        """Until `stop`: start again whatever ends by itself."""
        while not stop.is_set():
            waits = {
                asyncio.create_task(running.process.wait()): name
                for name, running in self._running.items()
            }
            stopping = asyncio.create_task(stop.wait())
            done, pending = await asyncio.wait(
                {*waits, stopping}, return_when=asyncio.FIRST_COMPLETED
            )
            for task in pending:
                task.cancel()
            if stop.is_set():
                return
            for task in done & waits.keys():
                await self._restart(waits[task])

    async def _restart(self, name: str) -> None:
        code = self._running[name].process.returncode
        self._report(f"{name} ended with {code}: starting it again")
        await asyncio.sleep(RESTART_SECONDS)
        self._running[name] = await start_process(name, self._environments[name], self.layout.logs)

    async def stop(self) -> None:
        """Stop all: first who takes requests in, PostgreSQL last."""
        for name in reversed(list(self._running)):
            self._report(f"stop {name}")
            await stop_process(self._running[name])
        self._running.clear()
        await asyncio.to_thread(self._postgres.stop)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _take_lock(self) -> None:
        self._lock = self.layout.lock_file.open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StackRunningError(f"a stack runs in {self.layout.home} already") from None
