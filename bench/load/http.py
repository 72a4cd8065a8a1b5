"""Starts the HTTP load in a process of its own and reads what it saw."""

import asyncio
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.load.grpc_load import write_payloads
from bench.measure.figures import Round
from bench.measure.proc import CpuMeter


@dataclass(frozen=True, slots=True)
class HttpRound:
    """A round, and per request in the order given: its latency (None: failed) and the wall
    clock's time of its answer."""

    round: Round
    latency_ms: Sequence[float | None]
    answered_at: Sequence[float]
    statuses: Mapping[str, int]


def request(
    method: str, target: str, path: str, headers: Mapping[str, str], body: bytes = b""
) -> bytes:
    """A whole HTTP/1.1 request."""
    fields = {"Host": target, **headers}
    if body:
        fields |= {"Content-Type": "application/json"}
    if body or method != "GET":
        fields |= {"Content-Length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body


async def send_requests(
    target: str,
    requests: Iterable[bytes],
    *,
    pids: Mapping[str, int | Iterable[int]],
    connections: int,
    seconds: float = 120.0,
    interval: float | None = None,
    settled: Callable[[], Awaitable[None]] | None = None,
) -> HttpRound:
    """One round. `interval`: as bench.load.http_load has it.

    `settled` returns when all work that the requests made is done; CPU counts until then.
    """
    with tempfile.NamedTemporaryFile(suffix=".bin") as file:
        write_payloads(Path(file.name), iter(requests))
        order = {
            "target": target,
            "payloads": file.name,
            "connections": connections,
            "seconds": seconds,
            "interval": interval,
        }
        meter = CpuMeter(pids)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.load.http_load"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate(json.dumps(order).encode())
        if settled is not None:
            await settled()
        used = meter.seconds()
    if process.returncode != 0:
        raise RuntimeError("the load process failed")
    seen = json.loads(output)
    succeeded = [each for each in seen["latency_ms"] if each is not None]
    failed = sum(count for status, count in seen["statuses"].items() if status[0] != "2")
    measured = Round(
        requests=len(succeeded),
        errors=failed + seen["lost"],
        seconds=seen["seconds"],
        latencies_ms=succeeded,
        cpu_seconds=used | {"load": seen["client_cpu_seconds"]},
        resident_mib=meter.resident_mib(),
    )
    return HttpRound(measured, seen["latency_ms"], seen["answered_at"], seen["statuses"])
