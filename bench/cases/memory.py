"""What the services hold after many requests."""

from bench import seed
from bench.load.http import send_requests
from bench.measure.memory import SETTLED_AFTER, resident_mib
from bench.measure.rounds import Result
from bench.options import Options
from bench.rest import Caller
from bench.stack import running_stack

_REQUESTS = 200_000
_CHUNK = 10_000
_CONNECTIONS = 64
_MOST_MIB = 150
# Reads, approvals and pushes in the shares of a person at work.
_KINDS = 4


async def run(options: Options) -> Result:
    """List, look, approve, push, each a quarter; a worker delivers."""
    chunks = max(2, options.size(_REQUESTS // _CHUNK))
    result = Result("memory", f"Do the services grow, over {chunks * _CHUNK:,} requests?")
    series: list[dict[str, float]] = []
    async with running_stack() as stack:
        await seed.connect_folder(stack, stack.folder / "dropzone")
        database, like = await stack.database(), await seed.template(stack)
        caller = Caller(stack.gateway, stack.token())
        services = {name: pid for name, pid in stack.pids.items() if name != "postgres"}
        for _ in range(chunks):
            ids = await seed.drafts(database, stack, like, _CHUNK // _KINDS, status="READY")
            for requests in (
                [caller.approve(each) for each in ids],
                caller.pushes(ids),
                [caller.get(f"/draft-orders/{each}") for each in ids],
                [caller.get("/draft-orders?page_size=20") for _ in ids],
            ):
                seen = await send_requests(
                    stack.gateway, requests, pids={}, connections=_CONNECTIONS
                )
                if seen.round.errors:
                    result.remarks.append(f"failed: {seen.statuses}")
            series.append(resident_mib(services))
        await database.close()
    settled = series[min(SETTLED_AFTER // _CHUNK, len(series)) - 1]
    for name in services:
        result.remarks.append(
            f"{name}, MiB after each {_CHUNK:,}: "
            + " ".join(f"{each[name]:.0f}" for each in series)
        )
        result.target(f"{name}, resident MiB at the end", series[-1][name], at_most=_MOST_MIB)
        result.target(
            f"{name}, the end / after {SETTLED_AFTER:,}",
            series[-1][name] / settled[name],
            at_most=1.05,
        )
    return result
