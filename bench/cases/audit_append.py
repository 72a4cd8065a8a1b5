"""Two audit replicas beside the pushes that they must keep up with."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import grpc.aio

from bench import seed
from bench.dropzone import PUSH, push_messages
from bench.load.grpc import call_method
from bench.measure.figures import Round
from bench.measure.proc import CpuMeter
from bench.measure.rounds import Result, take_turns
from bench.options import Options
from bench.stack import BenchStack, running_stack
from countersign.audit.v1.audit_service_pb2 import AppendEventsRequest, AuditEvent
from countersign_cli.stack.ports import HOST
from countersign_cli.stack.processes import start_process, stop_process, wait_ready
from countersign_core.audit_actions import AuditAction, EntityType
from countersign_platform.outbox.audit_record import audit_row
from countersign_platform.testing.ports import free_ports

_APPEND = "/countersign.audit.v1.AuditService/AppendEvents"
_EVENTS = 30_000
# What a relay's lease holds under load.
_BATCH = 200
_ORGS = 50
_SENDERS = 4
_PUSHES = 4_000
_CLIENTS = 32
# A push that is delivered leaves DRAFT_PUSHED and DRAFT_PUSH_SUCCEEDED.
_EVENTS_PER_PUSH = 2


async def run(options: Options) -> Result:
    """Events of 50 orgs, then of one, in batches of 200; and pushes, as they come."""
    result = Result("audit_append", "Does the writing of the chain keep up with the pushes?")
    events, pushes = options.size(_EVENTS), options.size(_PUSHES)
    orgs = [uuid4() for _ in range(_ORGS)]
    async with running_stack(workers=0) as stack, second_replica(stack) as (pid, port):
        like = await seed.template(stack)
        await seed.connect_folder(stack, stack.folder / "dropzone")
        database = await stack.database()
        drafts = await seed.drafts(database, stack, like, pushes * (options.rounds + 1))
        await database.close()
        replicas = {"audit": [stack.pids["audit"], pid], "postgres": [stack.pids["postgres"]]}

        async def many(_number: int) -> Round:
            return await _append(stack, port, orgs, events, replicas)

        async def one(_number: int) -> Round:
            return await _append(stack, port, orgs[:1], events // 3, replicas)

        async def push(number: int) -> Round:
            metadata = {"authorization": f"Bearer {stack.token()}", "idempotency-key": "bench"}
            return await call_method(
                stack.target("push"),
                PUSH,
                push_messages(drafts[number * pushes : (number + 1) * pushes]),
                metadata=metadata,
                pids=stack.pids,
                concurrency=_CLIENTS,
                seconds=120,
            )

        contenders = {"events of 50 orgs": many, "events of one org": one, "pushes": push}
        result.contenders = await take_turns(contenders, rounds=options.rounds)
    seen = result.contenders
    for name in ("events of 50 orgs", "events of one org"):
        result.target(
            f"{name} / what as many pushes write ({_EVENTS_PER_PUSH} a push)",
            seen[name].per_second / (_EVENTS_PER_PUSH * seen["pushes"].per_second),
            at_least=1.0,
        )
    result.remarks.append("An event is a request here; the latencies of events are of batches.")
    return result


async def _append(
    stack: BenchStack,
    second_port: int,
    orgs: Sequence[UUID],
    count: int,
    pids: dict[str, list[int]],
) -> Round:
    """Half of the batches to each replica, at the same time."""
    token = (stack.folder / "keys" / "relay.token").read_text()
    bearer = (("authorization", f"Bearer {token}"),)
    targets = [stack.target("audit"), f"{HOST}:{second_port}"]
    batches = [iter(_batches(orgs, count // len(targets))) for _ in targets]
    latencies: list[float] = []
    meter, began = CpuMeter(pids), time.perf_counter()

    async def send(target: str, rest: Iterator[bytes]) -> None:
        async with grpc.aio.insecure_channel(target) as channel:
            append = channel.unary_unary(_APPEND)
            for batch in rest:
                sent = time.perf_counter()
                await append(batch, metadata=bearer)
                latencies.append((time.perf_counter() - sent) * 1000)

    each = _SENDERS // len(targets)
    pairs = zip(targets, batches, strict=True)
    await asyncio.gather(*(send(target, rest) for target, rest in pairs for _ in range(each)))
    return Round(
        requests=len(latencies) * _BATCH,
        errors=0,
        seconds=time.perf_counter() - began,
        latencies_ms=latencies,
        cpu_seconds=meter.seconds(),
        resident_mib=meter.resident_mib(),
    )


def _batches(orgs: Sequence[UUID], count: int) -> list[bytes]:
    return [
        AppendEventsRequest(
            events=[_event(orgs[number % len(orgs)]) for number in range(_BATCH)]
        ).SerializeToString()
        for _ in range(max(1, count // _BATCH))
    ]


def _event(org_id: UUID) -> AuditEvent:
    draft_id = uuid4()
    _, payload = audit_row(
        None,
        AuditAction.DRAFT_PUSHED,
        EntityType.DRAFT_ORDER,
        draft_id,
        org_id=org_id,
        event_id=uuid4(),
        draft_order_id=draft_id,
        before={"status": "APPROVED"},
        after={"status": "PUSHING", "erp_export_id": str(uuid4())},
        request_id=uuid4().hex,
        trace_id=uuid4().hex,
    )
    event = AuditEvent.FromString(payload)
    event.occurred_at.GetCurrentTime()
    return event


@asynccontextmanager
async def second_replica(stack: BenchStack) -> AsyncIterator[tuple[int, int]]:
    """One more audit process on the same database: its pid and its port."""
    port, probe = free_ports(2)
    environment = {
        **stack.environment("audit"),
        "COUNTERSIGN_LISTEN": f"{HOST}:{port}",
        "COUNTERSIGN_PROBE_LISTEN": f"{HOST}:{probe}",
    }
    running = await start_process("audit-2", environment, stack.folder / "logs")
    try:
        await wait_ready(running, f"http://{HOST}:{probe}")
        yield running.process.pid, port
    finally:
        await stop_process(running)
