"""Push over gRPC against its limits: an empty method, and the statement under pgbench."""

import re
from functools import partial

import asyncpg

from bench import seed
from bench.dropzone import PUSH, push_messages
from bench.load.grpc import call_method
from bench.load.pgbench import run_pgbench
from bench.measure.figures import Round
from bench.measure.rounds import Result, take_turns
from bench.options import Options
from bench.peers.process import peer_process
from bench.stack import BenchStack, running_stack
from countersign_cli.stack.ports import HOST
from countersign_push.store.push import PUSH_ONE

_CLIENTS = 32
_EACH = 200


async def run(options: Options) -> Result:
    """32 calls under way at a time, each pushes a draft of its own."""
    result = Result(
        "push_grpc", "What is left of an empty gRPC method, and of the statement by itself?"
    )
    each = options.size(_EACH)
    per_round = each * _CLIENTS
    async with running_stack(workers=0) as stack, peer_process("empty_grpc") as (pid, port):
        like = await seed.template(stack)
        await seed.connect_folder(stack, stack.folder / "dropzone")
        database = await stack.database()
        total = per_round * (options.rounds + 1)
        drafts = await seed.drafts(database, stack, like, total)
        await seed.drafts(database, stack, like, total, numbered_from=0)
        metadata = {"authorization": f"Bearer {stack.token()}", "idempotency-key": "bench-1"}

        async def push(number: int) -> Round:
            ids = drafts[number * per_round : (number + 1) * per_round]
            await seed.settle(database)
            return await call_method(
                stack.target("push"), PUSH, push_messages(ids), metadata=metadata,
                pids=stack.pids, concurrency=_CLIENTS, seconds=120,
            )  # fmt: skip

        async def empty(_number: int) -> Round:
            ids = drafts[:per_round] * 3
            return await call_method(
                f"{HOST}:{port}", PUSH, push_messages(ids), metadata=metadata,
                pids={"empty": pid}, concurrency=_CLIENTS, seconds=120,
            )  # fmt: skip

        result.contenders = await take_turns(
            {
                "push": push,
                "empty method": empty,
                "pgbench": partial(_statement, stack, database, each),
            },
            rounds=options.rounds,
        )
        await database.close()
    seen = result.contenders
    result.target(
        "push / empty method, throughput",
        seen["push"].per_second / seen["empty method"].per_second,
        at_least=0.40,
    )
    result.target(
        "push / pgbench, throughput",
        seen["push"].per_second / seen["pgbench"].per_second,
        at_least=0.25,
    )
    return result


async def _statement(
    stack: BenchStack, database: asyncpg.Connection, each: int, number: int
) -> Round:
    await seed.settle(database)
    return await run_pgbench(
        stack.service_url("push"),
        pgbench_script(str(stack.org)),
        clients=_CLIENTS,
        transactions=each,
        variables={"i": -1, "each": each, "base": number * each * _CLIENTS},
        pids={"postgres": stack.pids["postgres"]},
    )


def pgbench_script(org: str) -> str:
    """The shipped statement with the rows that a push of draft number :n makes."""
    work, act = "ab" * 60, "cd" * 350  # bytes, as the two messages have
    arguments = (
        "'1 day'::interval",
        "'0'",
        f"'{org}'::uuid",
        "'push'::text",
        "'bench-1'::text",
        "'bench'::text",
        "'bench'::text",
        "'0123456789abcdef0123456789abcdef'::text",
        "'00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'::text",
        seed.NUMBERED.format(number=":n::bigint"),
        "gen_random_uuid()",
        "NULL::uuid",
        "NULL::bigint",
        "''::text",
        f"'\\x{'ef' * 32}'::bytea",
        "gen_random_uuid()",
        f"'\\x{work}'::bytea",
        "gen_random_uuid()",
        f"'\\x{act}'::bytea",
    )
    statement = re.sub(r"\$(\d+)(::\w+)?", lambda found: arguments[int(found[1]) - 1], PUSH_ONE)
    return (
        "\\set i :i + 1\n"
        "\\set n :base + :client_id * :each + :i\n"
        f"{re.sub(r'--.*', '', statement)};\n"
    )
