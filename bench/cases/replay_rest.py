"""The same push again, over REST: out of Redis, and out of the database."""

import asyncpg

from bench import seed
from bench.backends import running_backends
from bench.load.http import send_requests
from bench.measure.figures import Round, summary
from bench.measure.rounds import Result
from bench.options import Options
from bench.outbox import until_told
from bench.rest import Caller
from bench.stack import BenchStack, running_stack

_COUNT = 2000
_CONNECTIONS = 32

# As workers and the ERP would leave them; only what is final is kept in Redis.
_DELIVERED = """
UPDATE push.exports
   SET status = 'SENT', sent_at = now(), evidence = 'renamed', next_attempt_at = NULL,
       finished_at = now()
 WHERE org_id = $1 AND status = 'PENDING'
"""
_ANSWERED = "UPDATE push.exports SET status = 'ACKED', acked_at = now() WHERE status = 'SENT'"


async def run(options: Options) -> Result:
    """Each round pushes drafts, and then repeats the very same requests."""
    result = Result("replay_rest", "What does a repeated push cost, beside the first one?")
    rounds: dict[str, list[Round]] = {}
    async with (
        running_backends() as backends,
        running_stack(workers=0, redis_url=backends.redis_url) as stack,
    ):
        await seed.connect_folder(stack, stack.folder / "dropzone")
        database = await stack.database()
        pids = {**stack.pids, "redis": backends.pids["redis"]}
        for number in range(options.rounds + 1):
            seen = await _round(stack, database, pids, options.size(_COUNT))
            if number:  # the first one warms up
                for name, each in seen.items():
                    rounds.setdefault(name, []).append(each)
        await database.close()
    result.contenders = {name: summary(each) for name, each in rounds.items()}
    result.target(
        "replay out of Redis / first push, throughput",
        result.contenders["replay, Redis"].per_second / result.contenders["first push"].per_second,
        at_least=1.5,
    )
    return result


async def _round(
    stack: BenchStack, database: asyncpg.Connection, pids: dict[str, int], count: int
) -> dict[str, Round]:
    ids = await seed.drafts(database, stack, await seed.template(stack), count)
    requests = Caller(stack.gateway, stack.token()).pushes(ids)

    async def send() -> Round:
        seen = await send_requests(
            stack.gateway,
            requests,
            pids=pids,
            connections=_CONNECTIONS,
            settled=lambda: until_told(database),
        )
        return seen.round

    first = await send()
    stored = await send()
    await database.execute(_DELIVERED, stack.org)
    await database.execute(_ANSWERED)
    await send()  # from now on Redis has the answers
    await seed.settle(database)
    return {"first push": first, "replay, database": stored, "replay, Redis": await send()}
