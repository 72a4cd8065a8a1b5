"""The running service: what serves, and what runs beside it."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import structlog

from countersign_platform.probes import ProbeServer
from countersign_platform.rpc.server import RpcServer
from countersign_push.hand_out import HandOut

Loop = Callable[[], Coroutine[Any, Any, None]]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Ports:
    """What was bound."""

    rpc: int
    probe: int


class Service:
    """`start` once, `wait` for its end, `stop` once."""

    def __init__(
        self,
        server: RpcServer,
        probes: ProbeServer,
        hand_out: HandOut,
        loops: Sequence[Loop],
        opened: AsyncExitStack,
    ) -> None:
        """`loops` run beside the hand-out's own; `opened` is closed at the end."""
        self._server = server
        self._probes = probes
        self._hand_out = hand_out
        self._loops = loops
        self._opened = opened
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> Ports:
        """Serves; answers with the ports that were bound."""
        coroutines = [*self._hand_out.loops(), *(loop() for loop in self._loops)]
        self._tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
        rpc = await self._server.start()
        return Ports(rpc=rpc, probe=await self._probes.start())

    async def wait(self, stop: asyncio.Event) -> None:
        """Returns when `stop` is set.

        Raises:
            BaseException: what ended one of the loops; a service without its relay or its
                reconciler is better restarted than left running.
        """
        stopping = asyncio.create_task(_wait(stop))
        done, _ = await asyncio.wait([stopping, *self._tasks], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        for task in done - {stopping}:
            task.result()

    async def stop(self) -> None:
        """Sends waiting workers home, drains, and lets go of everything."""
        self._hand_out.close()
        await self._server.stop()
        for task in self._tasks:
            task.cancel()
        ended = await asyncio.gather(*self._tasks, return_exceptions=True)
        for error in ended:
            if isinstance(error, Exception):
                _log.error("loop_failed", exc_info=error)
        await self._probes.stop()
        await self._opened.aclose()


async def _wait(stop: asyncio.Event) -> None:
    await stop.wait()
