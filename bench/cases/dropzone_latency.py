"""From the reply to a push to its file in the dropzone, at a steady rate."""

import asyncio
from uuid import UUID

from bench import seed
from bench.backends import running_backends
from bench.load.http import HttpRound, send_requests
from bench.measure.figures import Round, summary
from bench.measure.rounds import Result
from bench.observer import FolderObserver
from bench.options import Options
from bench.rest import Caller
from bench.stack import BenchStack, running_stack

_PER_SECOND = 200
_SECONDS = 10
_CONNECTIONS = 50
_LONGEST_WAIT_SECONDS = 60
_ID_CHARACTERS = 36
_PREFIX = "sales_order_"


async def run(options: Options) -> Result:
    """One worker process; woken by RabbitMQ, and without a broker."""
    result = Result(
        "dropzone_latency", f"How soon is a file there, at {_PER_SECOND} pushes a second?"
    )
    async with running_backends() as backends:
        for name, broker in (("without a broker", None), ("RabbitMQ", backends.broker_url)):
            async with running_stack(broker_url=broker, redis_url=backends.redis_url) as stack:
                rounds = await _measure(stack, options)
            for what in ("reply", "file"):
                each = [pair[what] for pair in rounds]
                result.contenders[f"push to {what}, {name}"] = summary(each)
            result.target(
                f"reply to file, p99 ms, {name}",
                result.contenders[f"push to file, {name}"].p99_ms,
                at_most=1000,
            )
    result.remarks.append('"push to file" counts from the reply, by the kernel\'s word of a rename')
    return result


async def _measure(stack: BenchStack, options: Options) -> list[dict[str, Round]]:
    folder = stack.folder / "dropzone"
    await seed.connect_folder(stack, folder)
    database, like = await stack.database(), await seed.template(stack)
    rounds = []
    for number in range(options.rounds + 1):
        # A short round warms up.
        count = options.size(_PER_SECOND * _SECONDS // (1 if number else 4))
        ids = await seed.drafts(database, stack, like, count)
        with FolderObserver(folder) as observer:
            pushed = await send_requests(
                stack.gateway,
                Caller(stack.gateway, stack.token()).pushes(ids),
                pids=stack.pids,
                connections=_CONNECTIONS,
                interval=_CONNECTIONS / _PER_SECOND,
            )
            await _until_all_are_there(observer, pushed.round.requests)
        if number:
            rounds.append({"reply": pushed.round, "file": _files(pushed, ids, observer)})
    await database.close()
    return rounds


async def _until_all_are_there(observer: FolderObserver, count: int) -> None:
    async with asyncio.timeout(_LONGEST_WAIT_SECONDS):
        while len(observer.seen) < count:
            await asyncio.sleep(0.02)


def _files(pushed: HttpRound, ids: list[UUID], observer: FolderObserver) -> Round:
    appeared = {
        UUID(name[len(_PREFIX) : len(_PREFIX) + _ID_CHARACTERS]): at
        for name, at in observer.seen.items()
    }
    latencies = [
        max(0.0, 1000 * (appeared[each] - answered))
        for each, answered in zip(ids, pushed.answered_at, strict=True)
        if answered
    ]
    return Round(len(latencies), pushed.round.errors, pushed.round.seconds, latencies)
