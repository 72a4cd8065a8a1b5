"""A thousand people at work, with a worker delivering beside them."""

from collections.abc import Iterator
from itertools import count
from uuid import UUID

from bench import seed
from bench.backends import running_backends
from bench.load.http import HttpRound, send_requests
from bench.measure.figures import Round, summary
from bench.measure.memory import MemoryWatch
from bench.measure.rounds import Result
from bench.options import Options
from bench.rest import Caller
from bench.stack import running_stack

_USERS = 1000
_INTERVAL_SECONDS = 2.0
_SECONDS = 300
_ACTS = ("list", "detail", "approve", "push")
_MOST_MS = 100


async def run(options: Options) -> Result:
    """Each on a connection and with a token of their own: list, look, approve, push, again."""
    turns = options.size(round(_SECONDS / _INTERVAL_SECONDS))
    result = Result(
        "users",
        f"{_USERS} users connected, each acts every {_INTERVAL_SECONDS:.0f} s,"
        f" for {turns * _INTERVAL_SECONDS:.0f} s: how long do they wait?",
    )
    async with running_backends() as backends, running_stack(redis_url=backends.redis_url) as stack:
        await seed.connect_folder(stack, stack.folder / "dropzone")
        database, like = await stack.database(), await seed.template(stack)
        ready = iter(
            await seed.drafts(
                database, stack, like, _USERS * (turns // len(_ACTS) + 3), status="READY"
            )
        )
        callers = [
            Caller(stack.gateway, stack.token(subject=f"user-{number}")) for number in range(_USERS)
        ]
        plans = [_plan(caller, like, ready, number) for number, caller in enumerate(callers)]

        def next_acts(turns: int) -> list[tuple[str, bytes]]:
            """In the order in which they are sent: everybody's first act, everybody's second, …"""
            return [next(plan) for _ in range(turns) for plan in plans]

        async def send(acts: list[tuple[str, bytes]]) -> HttpRound:
            return await send_requests(
                stack.gateway,
                [request for _, request in acts],
                pids=stack.pids,
                connections=_USERS,
                seconds=_SECONDS * 2,
                interval=_INTERVAL_SECONDS,
            )

        # Nobody's first minute: PostgreSQL plans for empty tables until it has analysed them.
        await send(next_acts(len(_ACTS)))
        asked = next_acts(turns)
        await seed.settle(database)
        async with MemoryWatch(stack.pids) as memory:
            seen = await send(asked)
        await database.close()
    _report(result, seen, [act for act, _ in asked])
    result.remarks.append(memory.remark(seen.round.per_second))
    return result


def _plan(
    caller: Caller, seen_before: UUID, ready: Iterator[UUID], number: int
) -> Iterator[tuple[str, bytes]]:
    """What one of them does, without end; they do not all do the same at the same time."""
    draft, approved = seen_before, False
    for turn in count(number % len(_ACTS)):
        act = _ACTS[turn % len(_ACTS)]
        if act == "approve":
            draft, approved = next(ready), True
        elif act == "push" and not approved:
            act = "list"
        yield act, _request(caller, act, draft)


def _request(caller: Caller, act: str, draft: UUID) -> bytes:
    match act:
        case "approve":
            return caller.approve(draft)
        case "push":
            return caller.push(draft)
        case "detail":
            return caller.get(f"/draft-orders/{draft}")
        case _:
            return caller.get("/draft-orders?page_size=20")


def _report(result: Result, seen: HttpRound, acts: list[str]) -> None:
    result.contenders["all"] = summary([seen.round])
    for act in _ACTS:
        latencies = [
            each
            for each, done in zip(seen.latency_ms, acts, strict=True)
            if done == act and each is not None
        ]
        failed = acts.count(act) - len(latencies)
        measured = Round(len(latencies), failed, seen.round.seconds, latencies)
        result.contenders[act] = summary([measured])
    for act in ("approve", "push"):
        result.target(f"{act}, p99 ms", result.contenders[act].p99_ms, at_most=_MOST_MS)
    result.target("requests that failed", seen.round.errors, at_most=0)
