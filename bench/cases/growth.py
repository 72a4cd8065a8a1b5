"""The same push and the same lists with few and with many drafts."""

import asyncpg

from bench import seed
from bench.load.http import send_requests
from bench.measure.figures import Round, Summary
from bench.measure.rounds import Result, take_turns
from bench.options import Options
from bench.rest import Caller
from bench.stack import BenchStack, running_stack

_FEW = 10_000
_MANY = 1_000_000
_WAITING = 100_000
_PUSHES = 1500
_LISTS = 400
_PUSHING, _LISTING = 8, 4
_PAGES = 1000


async def run(options: Options) -> Result:
    """A tenth of what growth_full does."""
    return await measure("growth", options, _MANY, _WAITING // 10)


async def measure(name: str, options: Options, many: int, waiting: int) -> Result:
    """Pushes at `_FEW` drafts; then, `waiting` exports among `many` drafts, pushes and lists."""
    many, waiting = options.size(many), options.size(waiting)
    result = Result(name, f"What do {many:,} drafts and {waiting:,} waiting exports slow down?")
    few, full = f"push, {_FEW:,} drafts", f"push, {many:,} drafts"
    async with running_stack(workers=0) as stack:
        await seed.connect_folder(stack, stack.folder / "dropzone")
        database, like = await stack.database(), await seed.template(stack)
        caller = Caller(stack.gateway, stack.token())

        async def push(_number: int) -> Round:
            ids = await seed.drafts(database, stack, like, options.size(_PUSHES))
            return await _send(stack, caller.pushes(ids), _PUSHING)

        await seed.fillers(database, stack, like, _FEW)
        result.contenders = await take_turns({few: push}, rounds=options.rounds)
        await seed.waiting_exports(database, stack, like, waiting)
        await seed.fillers(database, stack, like, many - _FEW - waiting)
        result.contenders |= await take_turns({full: push}, rounds=options.rounds)
        result.contenders |= await _lists(stack, caller, options)
        await _note_size(database, result)
        await database.close()
    _compare(result, few, full)
    _compare(result, "list, page 1", f"list, page {_PAGES:,}")
    return result


async def _lists(stack: BenchStack, caller: Caller, options: Options) -> dict[str, Summary]:
    cursor = ""
    async with seed.client(stack) as http:
        for _ in range(_PAGES - 1):
            asked = {"page_token": cursor} if cursor else {}
            answer = await http.get("/draft-orders", params=asked)
            answer.raise_for_status()
            cursor = answer.json()["next_page_token"]

    async def page(path: str) -> Round:
        return await _send(stack, [caller.get(path)] * options.size(_LISTS), _LISTING)

    return await take_turns(
        {
            "list, page 1": lambda _: page("/draft-orders"),
            f"list, page {_PAGES:,}": lambda _: page(f"/draft-orders?page_token={cursor}"),
        },
        rounds=options.rounds,
    )


async def _send(stack: BenchStack, requests: list[bytes], connections: int) -> Round:
    seen = await send_requests(stack.gateway, requests, pids=stack.pids, connections=connections)
    return seen.round


def _compare(result: Result, base: str, grown: str) -> None:
    before, after = result.contenders[base], result.contenders[grown]
    result.target(f"{grown} / {base}, CPU", after.own_cpu_ms / before.own_cpu_ms, at_most=1.2)
    result.target(f"{grown} / {base}, p50", after.p50_ms / before.p50_ms, at_most=1.2)


async def _note_size(database: asyncpg.Connection, result: Result) -> None:
    size = await database.fetchval("SELECT pg_size_pretty(pg_database_size(current_database()))")
    result.remarks.append(
        f"database {size}; drafts beyond those that are pushed have rows and indexes, no content"
    )
