"""Push over REST against the stack that most teams would build for it."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from functools import partial
from uuid import UUID

import asyncpg

from bench import peer_stack, seed
from bench.backends import Backends, running_backends
from bench.load.http import send_requests
from bench.measure.figures import Round
from bench.measure.rounds import Contender, Result, take_turns
from bench.options import Options
from bench.outbox import until_told
from bench.peer_stack import PeerStack
from bench.peers.process import peer_process
from bench.rest import Caller
from bench.stack import BenchStack, running_stack
from countersign_cli.stack.ports import HOST

_CONNECTIONS = (32, 256)
_OURS, _BROKERED, _THEIRS = "Countersign", "Countersign + RabbitMQ", "FastAPI + Celery"
_COUNTS = {_OURS: 3000, _BROKERED: 2000, _THEIRS: 800}
_LOADS = 20_000


async def run(options: Options) -> Result:
    """Each request pushes a draft of its own, with a key; nobody delivers meanwhile."""
    result = Result("push_rest", "What does a push over REST cost, beside FastAPI with Celery?")
    async with AsyncExitStack() as opened:
        backends = await opened.enter_async_context(running_backends())
        urls = {"broker_url": backends.broker_url, "redis_url": backends.redis_url}
        stack = await opened.enter_async_context(
            running_stack(workers=0, redis_url=backends.redis_url)
        )
        brokered = await opened.enter_async_context(running_stack(workers=0, **urls))
        peer = await opened.enter_async_context(peer_stack.peer_stack(stack, **urls))
        _, empty_port = await opened.enter_async_context(peer_process("empty_http"))
        subjects = {
            _OURS: await _countersign(stack, {"redis": backends.pids["redis"]}),
            _BROKERED: await _countersign(brokered, backends.pids),
            _THEIRS: await _fastapi(stack, backends, peer),
        }
        contenders: dict[str, Contender] = {
            "the load alone": partial(_load_alone, stack, empty_port, options.size(_LOADS))
        }
        for connections in _CONNECTIONS:
            for who, subject in subjects.items():
                count = options.size(_COUNTS[who])
                contenders[_name(who, connections)] = partial(subject.push, count, connections)
        result.contenders = await take_turns(contenders, rounds=options.rounds)
        for subject in subjects.values():
            await subject.database.close()
    result.remarks.append(
        f"Countersign needs no broker; {_BROKERED} is the same with every export announced there"
    )
    for connections in _CONNECTIONS:
        _compare(result, connections)
    return result


def _name(who: str, connections: int) -> str:
    return f"{who}, {connections} connections"


def _compare(result: Result, connections: int) -> None:
    ours = result.contenders[_name(_OURS, connections)]
    theirs = result.contenders[_name(_THEIRS, connections)]
    at = f"at {connections} connections"
    result.target(
        f"push, {_OURS} / {_THEIRS}, throughput {at}",
        ours.per_second / theirs.per_second,
        at_least=4,
    )
    result.target(
        f"the same, CPU per request {at}", ours.own_cpu_ms / theirs.own_cpu_ms, at_most=0.25
    )
    if connections == max(_CONNECTIONS):
        result.target(f"the same, p99 {at}", ours.p99_ms / theirs.p99_ms, at_most=0.25)


class _Pushed:
    """A contender: drafts that it makes, a gateway that they are pushed through."""

    def __init__(
        self,
        target: str,
        token: str,
        *,
        database: asyncpg.Connection,
        make: Callable[[int], Awaitable[list[UUID]]],
        pids: Mapping[str, int],
        settled: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.database = database
        self._target = target
        self._token = token
        self._make = make
        self._pids = pids
        self._settled = settled

    async def push(self, count: int, connections: int, _number: int) -> Round:
        ids = await self._make(count)
        seen = await send_requests(
            self._target,
            Caller(self._target, self._token).pushes(ids),
            pids=self._pids,
            connections=connections,
            settled=self._settled,
        )
        return seen.round


async def _countersign(stack: BenchStack, backends: Mapping[str, int]) -> _Pushed:
    await seed.connect_folder(stack, stack.folder / "dropzone")
    database, like = await stack.database(), await seed.template(stack)
    return _Pushed(
        f"{HOST}:{stack.ports.gateway}",
        stack.token(),
        database=database,
        make=partial(seed.drafts, database, stack, like),
        pids={**stack.pids, **backends},
        settled=partial(until_told, database),
    )


async def _fastapi(stack: BenchStack, backends: Backends, peer: PeerStack) -> _Pushed:
    await peer.start_api()
    database = await peer.database()
    await peer_stack.connect_folder(database, stack.org, stack.folder / "peer-dropzone")
    return _Pushed(
        f"{HOST}:{peer.port}",
        stack.token(),
        database=database,
        make=partial(peer_stack.drafts, database, stack.org),
        pids={**peer.pids, **backends.pids, "postgres": stack.pids["postgres"]},
    )


async def _load_alone(stack: BenchStack, port: int, count: int, _number: int) -> Round:
    target = f"{HOST}:{port}"
    requests = Caller(target, stack.token()).pushes([stack.org] * count)
    seen = await send_requests(target, requests, pids={}, connections=max(_CONNECTIONS))
    return seen.round
