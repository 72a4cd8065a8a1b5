"""One chain of a million events verified: how fast on a core, and in how much memory."""

import hashlib
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import grpc.aio

from bench.measure.figures import Round
from bench.measure.proc import CpuMeter
from bench.measure.rounds import Result, take_turns
from bench.options import Options
from bench.stack import BenchStack, running_stack
from countersign.audit.v1.audit_service_pb2 import VerifyChainRequest
from countersign.audit.v1.audit_service_pb2_grpc import AuditServiceStub

_EVENTS = 500_000
_BATCH = 1000

# As a push leaves them, written by the database's own append.
_SEED = """
SELECT count(*) FROM audit.append_events(
    $1::uuid[], $2::uuid[], $3::timestamptz[],
    array_fill('bench-approver'::text, ARRAY[$4::int]),
    array_fill('DRAFT_PUSHED'::text, ARRAY[$4::int]),
    array_fill('draft_order'::text, ARRAY[$4::int]),
    $5::text[], $5::text[],
    array_fill('5f2b8c1e9a7d4e6f8b0c2d4e6f8a0b1c'::text, ARRAY[$4::int]),
    array_fill('0af7651916cd43dd8448eb211c80319c'::text, ARRAY[$4::int]),
    array_fill('192.0.2.7'::text, ARRAY[$4::int]),
    array_fill('Mozilla/5.0 (X11; Linux x86_64)'::text, ARRAY[$4::int]),
    array_fill('{"status":"APPROVED","version":2}'::text, ARRAY[$4::int]),
    array_fill('{"erp_export_id":"0b9e1c1e-1c1e-4c1e-8c1e-0b9e1c1e0b9e","status":"PUSHING"}'::text,
               ARRAY[$4::int]))
"""


async def run(options: Options) -> Result:
    """VerifyChain over gRPC, the whole chain in one call; and the bare hashing of as many bytes."""
    result = Result("audit_verify", "How many events does one core verify in a second?")
    count = options.size(_EVENTS)
    async with running_stack(workers=0) as stack:
        database = await stack.database()
        await _seed(database, stack.org, count)
        form = await _form(database, stack.org)
        await database.close()
        grown: list[float] = []

        async def verify(_number: int) -> Round:
            return await _verify(stack, count, grown)

        async def bare(_number: int) -> Round:
            return _bare(form, count)

        contenders = {"VerifyChain": verify, "bare hashing": bare}
        result.contenders = await take_turns(contenders, rounds=options.rounds)
    seen = result.contenders["VerifyChain"]
    on_a_core = 1000 / seen.cpu_ms_by_process["audit"]
    result.target("events per second of the audit service's core", on_a_core, at_least=50_000)
    result.target("MiB that its memory grew by while it verified", max(grown[1:]), at_most=16)
    result.remarks.append(f"A chain of {count:,} events; an event is a request here.")
    return result


async def _seed(database: asyncpg.Connection, org: UUID, count: int) -> None:
    for start in range(0, count, _BATCH):
        size = min(_BATCH, count - start)
        ids = [uuid4() for _ in range(size)]
        moments = [datetime.now(UTC)] * size
        await database.fetch(_SEED, [org] * size, ids, moments, size, list(map(str, ids)))
    await database.execute("VACUUM ANALYZE audit.events")


async def _form(database: asyncpg.Connection, org: UUID) -> bytes:
    """What is hashed of one of these events, without the hash before it."""
    form: bytes = await database.fetchval(
        "SELECT audit.canonical_form(org_id, seq, event_id, occurred_at, actor_user_id, action,"
        " entity_type, entity_id, draft_order_id, request_id, trace_id, ip, user_agent,"
        " before_json, after_json) FROM audit.events WHERE org_id = $1 LIMIT 1",
        org,
    )
    return form


async def _verify(stack: BenchStack, count: int, grown: list[float]) -> Round:
    pids = {"audit": stack.pids["audit"], "postgres": stack.pids["postgres"]}
    meter, before = CpuMeter(pids), _memory_mib(pids["audit"], "VmRSS")
    began = time.monotonic()
    async with grpc.aio.insecure_channel(stack.target("audit")) as channel:
        bearer = (("authorization", f"Bearer {stack.token()}"),)
        call: Any = AuditServiceStub(channel).VerifyChain
        verdict = await call(VerifyChainRequest(), metadata=bearer, timeout=600)
    seconds = time.monotonic() - began
    grown.append(_memory_mib(pids["audit"], "VmHWM") - before)
    if not verdict.valid or verdict.checked != count:
        raise RuntimeError(f"the chain does not verify: {verdict}")
    return Round(count, 0, seconds, (), meter.seconds(), meter.resident_mib())


def _memory_mib(pid: int, name: str) -> float:
    """Resident memory now (VmRSS), or the most there ever was (VmHWM)."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    line = next(each for each in status.splitlines() if each.startswith(name))
    return int(line.split()[1]) / 1024


def _bare(form: bytes, count: int) -> Round:
    """One SHA-256 per event over as many bytes, and nothing else."""
    head, began, used = bytes(32), time.monotonic(), time.process_time()
    for _ in range(count):
        head = hashlib.sha256(head + form).digest()
    cpu = {"hashing": time.process_time() - used}
    return Round(count, 0, time.monotonic() - began, (), cpu)
