"""How each fault is caused and undone. Each is a context: the fault lasts while it is open."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path

import psutil

from countersign_chaos.faults.plan import Fault, Strike
from countersign_chaos.world.network import Link
from countersign_chaos.world.process import NotReadyError, Process
from countersign_chaos.world.world import World
from countersign_platform.testing.server_process import ServerProcess
from countersign_platform.testing.servers import SshdServer
from countersign_platform.testing.tcp_proxy import TcpProxy

Cause = Callable[[World, Strike], AbstractAsyncContextManager[None]]
_FILLER = ".filler"
_CHUNK = bytes(1 << 20)
_EVEN = 0.5


@asynccontextmanager
async def process_kill(world: World, strike: Strike) -> AsyncIterator[None]:
    """SIGKILL; over when it is ready again."""
    process = world.processes[strike.target]
    await process.end(signal.SIGKILL)
    yield
    await _back(process)


@asynccontextmanager
async def process_restart(world: World, strike: Strike) -> AsyncIterator[None]:
    """SIGTERM; over when it is ready again."""
    process = world.processes[strike.target]
    await process.end(signal.SIGTERM)
    yield
    await _back(process)


@asynccontextmanager
async def process_stop(world: World, strike: Strike) -> AsyncIterator[None]:
    """SIGSTOP, then SIGCONT."""
    process = world.processes[strike.target]
    process.send(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send(signal.SIGCONT)


@asynccontextmanager
async def server_crash(world: World, strike: Strike) -> AsyncIterator[None]:
    """The server ends at once and is started again on the data that there is."""
    server = _server(world, strike)
    await asyncio.to_thread(server.kill)
    try:
        yield
    finally:
        await asyncio.to_thread(server.start)


@asynccontextmanager
async def server_stop(world: World, strike: Strike) -> AsyncIterator[None]:
    """Every process of the server sleeps."""
    family = _family(_server(world, strike).pid)
    _signal(family, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal(family, signal.SIGCONT)


@asynccontextmanager
async def broker_wipe(world: World, strike: Strike) -> AsyncIterator[None]:
    """A crash after which every queue is gone."""
    del strike
    rabbit = world.servers.rabbit
    await asyncio.to_thread(rabbit.kill)
    rabbit.wipe()
    try:
        yield
    finally:
        await asyncio.to_thread(rabbit.start)


@asynccontextmanager
async def redis_flush(world: World, strike: Strike) -> AsyncIterator[None]:
    """Redis forgets everything."""
    del strike
    await asyncio.to_thread(world.servers.redis.flush)
    yield


@asynccontextmanager
async def sftp_hang_up(world: World, strike: Strike) -> AsyncIterator[None]:
    """Every session ends; the server goes on."""
    server: SshdServer = getattr(world.servers, strike.target)
    await asyncio.to_thread(server.hang_up)
    yield


@asynccontextmanager
async def link_cut(world: World, strike: Strike) -> AsyncIterator[None]:
    """Reset every connection of a link."""
    _proxy(world, strike).cut()
    yield


@asynccontextmanager
async def link_cut_midway(world: World, strike: Strike) -> AsyncIterator[None]:
    """The same after so many bytes more, of the requests or of the replies."""
    count = int(strike.amount)
    _proxy(world, strike).cut_after(count, replies=count % 2 == 0)
    yield


@asynccontextmanager
async def link_delay(world: World, strike: Strike) -> AsyncIterator[None]:
    """Every chunk is held back."""
    proxy = _proxy(world, strike)
    proxy.delay_seconds = strike.amount
    try:
        yield
    finally:
        proxy.delay_seconds = 0.0


@asynccontextmanager
async def link_silence(world: World, strike: Strike) -> AsyncIterator[None]:
    """Nothing comes through any more; later all of it at once."""
    proxy = _proxy(world, strike)
    proxy.stall()
    try:
        yield
    finally:
        proxy.resume()


@asynccontextmanager
async def link_half_open(world: World, strike: Strike) -> AsyncIterator[None]:
    """One end of every connection is gone, and the other is never told."""
    proxy = _proxy(world, strike)
    if strike.amount < _EVEN:
        proxy.forget_server()
    else:
        proxy.forget_client()
    yield


@asynccontextmanager
async def disk_full(world: World, strike: Strike) -> AsyncIterator[None]:
    """The dropzone's own disk takes no byte more. `target` is its folder."""
    del world
    filler = Path(strike.target) / _FILLER
    await asyncio.to_thread(_fill, filler)
    try:
        yield
    finally:
        filler.unlink(missing_ok=True)


@asynccontextmanager
async def clock_jump(world: World, strike: Strike) -> AsyncIterator[None]:
    """A worker's time of day is wrong by `amount` seconds, then right again."""
    world.set_clock(strike.target, strike.amount)
    try:
        yield
    finally:
        world.set_clock(strike.target, 0.0)


CAUSES: dict[Fault, Cause] = {
    Fault.PROCESS_KILL: process_kill,
    Fault.PROCESS_STOP: process_stop,
    Fault.PROCESS_RESTART: process_restart,
    Fault.POSTGRES_CRASH: server_crash,
    Fault.POSTGRES_STOP: server_stop,
    Fault.BROKER_CRASH: server_crash,
    Fault.BROKER_STOP: server_stop,
    Fault.BROKER_WIPE: broker_wipe,
    Fault.REDIS_FLUSH: redis_flush,
    Fault.REDIS_LOSS: server_crash,
    Fault.REDIS_STOP: server_stop,
    Fault.SFTP_DEATH: server_crash,
    Fault.SFTP_STOP: server_stop,
    Fault.SFTP_HANG_UP: sftp_hang_up,
    Fault.LINK_CUT: link_cut,
    Fault.LINK_CUT_MIDWAY: link_cut_midway,
    Fault.LINK_DELAY: link_delay,
    Fault.LINK_SILENCE: link_silence,
    Fault.LINK_HALF_OPEN: link_half_open,
    Fault.DISK_FULL: disk_full,
    Fault.CLOCK_JUMP: clock_jump,
}


def _server(world: World, strike: Strike) -> ServerProcess:
    name = "rabbit" if strike.target == "broker" else strike.target
    server: ServerProcess = getattr(world.servers, name)
    return server


def _proxy(world: World, strike: Strike) -> TcpProxy:
    source, _, target = strike.target.partition(">")
    return world.network.proxy(Link(source, target))


async def _back(process: Process) -> None:
    # Another fault may keep it from being ready; that it is in the end, the round looks at.
    with suppress(NotReadyError):
        await process.ready()


def _family(pid: int) -> list[int]:
    with suppress(psutil.NoSuchProcess):
        server = psutil.Process(pid)
        return [pid, *(child.pid for child in server.children(recursive=True))]
    return []


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _fill(path: Path) -> None:
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while file.write(_CHUNK):
            pass
