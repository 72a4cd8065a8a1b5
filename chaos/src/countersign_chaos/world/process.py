"""One process of the stack that is started again whenever it ends, as an init system does."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from countersign_platform.testing.leash import Leash
from countersign_platform.testing.ports import HOST

READY_SECONDS = 60.0
_RESTART_SECONDS = 0.3
_LOOK_SECONDS = 0.1
_PROBE_SECONDS = 2.0


class NotReadyError(Exception):
    """A process did not become ready; carries the end of its log."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of one run of a process. `code` is negative where a signal ended it."""

    name: str
    code: int
    at: float
    ordered: bool

    @property
    def was_fate(self) -> bool:
        """Whether it ended itself as if killed: a worker at the step drawn for it."""
        return not self.ordered and self.code == -signal.SIGKILL


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start a process: arguments of Python and what changes with each start."""

    module: str
    environment: Callable[[], dict[str, str]]


class Process:
    """A supervised process; `start` once, `close` once."""

    def __init__(
        self, name: str, launch: Launch, log: Path, probe_port: int, ended: list[Ended]
    ) -> None:
        """`ended` is told of every end but the last."""
        self.name = name
        self.kind = name.split("-", maxsplit=1)[0]
        self.log = log
        self._started = asyncio.Event()
        self._launch = launch
        self._probe = f"http://{HOST}:{probe_port}/readyz"
        self._ended = ended
        self._process: asyncio.subprocess.Process | None = None
        self._leash: Leash | None = None
        self._ordered = False
        self._supervisor: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        """Process id of the present run."""
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        """Start it, and keep it up until `close`."""
        await self._start()
        self._supervisor = asyncio.create_task(self._supervise())

    async def close(self) -> None:
        """End it for good, at once."""
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.gather(self._supervisor, return_exceptions=True)
        self.send(signal.SIGKILL)
        if self._process is not None:
            await self._process.wait()
        self._let_go()

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the present run, if there is one."""
        if self._process is None or self._process.returncode is not None:
            return
        self._ordered = self._ordered or number in {signal.SIGKILL, signal.SIGTERM}
        try:
            os.kill(self._process.pid, number)
        except ProcessLookupError:
            return

    async def end(self, number: signal.Signals) -> None:
        """Send a signal that ends the present run; returns when the next one has begun."""
        self._started.clear()
        self.send(number)
        await self._started.wait()

    async def ready(self, seconds: float = READY_SECONDS) -> None:
        """Return once it says that it is ready.

        Raises:
            NotReadyError: it does not, in time.
        """
        deadline = time.monotonic() + seconds
        timeout = aiohttp.ClientTimeout(total=_PROBE_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while not await self._says_ready(session):
                if time.monotonic() > deadline:
                    raise NotReadyError(f"{self.name} is not ready\n{self.log_end()}")
                await asyncio.sleep(_LOOK_SECONDS)

    def log_end(self, lines: int = 30) -> str:
        """The last lines of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    async def _says_ready(self, session: aiohttp.ClientSession) -> bool:
        try:
            async with session.get(self._probe) as answer:
                return answer.ok
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def _start(self) -> None:
        arguments: Sequence[str] = ("-m", self._launch.module)
        environment = self._launch.environment()
        with self.log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *arguments,
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._leash = Leash(self._process.pid)
        self._ordered = False
        self._started.set()

    async def _supervise(self) -> None:
        while True:
            assert self._process is not None
            code = await self._process.wait()
            self._let_go()
            self._ended.append(Ended(self.name, code, time.time(), self._ordered))
            await asyncio.sleep(_RESTART_SECONDS)
            await self._start()

    def _let_go(self) -> None:
        if self._leash is not None:
            self._leash.release()
            self._leash = None
