"""A service as a process: what serves, what runs beside it, from start to exit code."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

import structlog

from countersign_platform.probes import ProbeServer
from countersign_platform.process import run
from countersign_platform.rpc.server import RpcServer
from countersign_platform.settings import ServiceSettings, load
from countersign_platform.telemetry.logging import configure_logging
from countersign_platform.telemetry.tracing import configure_tracing

Loop = Callable[[], Coroutine[Any, Any, None]]
S = TypeVar("S", bound=ServiceSettings)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Ports:
    """What was bound."""

    rpc: int
    probe: int


class Service:
    """`start` once, `wait` for its end, `stop` at last."""

    def __init__(
        self,
        server: RpcServer,
        probes: ProbeServer,
        loops: Sequence[Loop],
        opened: AsyncExitStack,
        *,
        before_drain: Callable[[], None] = lambda: None,
    ) -> None:
        """`loops` run beside the server; `opened` is closed at the end.

        `before_drain` sends home whoever would hold up the drain.
        """
        self._server = server
        self._probes = probes
        self._loops = loops
        self._opened = opened
        self._before_drain = before_drain
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> Ports:
        """Serves; answers with the ports that were bound."""
        self._tasks = [asyncio.create_task(loop()) for loop in self._loops]
        rpc = await self._server.start()
        return Ports(rpc=rpc, probe=await self._probes.start())

    async def wait(self, stop: asyncio.Event) -> None:
        """Returns when `stop` is set.

        Raises:
            BaseException: what ended one of the loops; a service without its relay is better
                restarted than left running.
        """
        stopping = asyncio.create_task(_wait(stop))
        done, _ = await asyncio.wait([stopping, *self._tasks], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        for task in done - {stopping}:
            task.result()

    async def stop(self) -> None:
        """Drains what is in flight, then lets go of everything."""
        self._before_drain()
        await self._server.stop()
        for task in self._tasks:
            task.cancel()
        for error in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(error, Exception):
                _log.error("loop_failed", exc_info=error)
        self._tasks = []
        await self._probes.stop()
        await self._opened.aclose()


def run_service(
    name: str, settings_type: type[S], build: Callable[[S], Awaitable[Service]]
) -> NoReturn:
    """Reads the settings, builds the service, serves until SIGTERM, drains; ends the process."""
    settings = load(settings_type)
    configure_logging(settings, name)
    flush_traces = configure_tracing(settings, name)

    async def serve(stop: asyncio.Event) -> None:
        service = await build(settings)
        try:
            await service.start()
            await service.wait(stop)
        finally:
            await service.stop()
            flush_traces()

    run(serve)


async def _wait(stop: asyncio.Event) -> None:
    await stop.wait()
