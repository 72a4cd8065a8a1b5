"""Starts the gRPC load in a process of its own and reads what it saw."""

import asyncio
import json
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from bench.load.grpc_load import write_payloads
from bench.measure.figures import Round
from bench.measure.proc import CpuMeter


async def call_method(
    target: str,
    path: str,
    messages: Iterable[bytes],
    *,
    metadata: Mapping[str, str],
    pids: Mapping[str, int],
    concurrency: int = 32,
    connections: int = 2,
    seconds: float = 10.0,
) -> Round:
    """One round: `concurrency` calls under way in all, for `seconds` or until messages run out.

    `pids` are the root processes whose CPU is counted, by name.
    """
    with tempfile.NamedTemporaryFile(suffix=".bin") as file:
        write_payloads(Path(file.name), iter(messages))
        order = {
            "target": target,
            "path": path,
            "metadata": list(metadata.items()),
            "payloads": file.name,
            "connections": connections,
            "concurrency": max(1, concurrency // connections),
            "seconds": seconds,
        }
        meter = CpuMeter(pids)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bench.load.grpc_load",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate(json.dumps(order).encode())
        used = meter.seconds()
    if process.returncode != 0:
        raise RuntimeError("the load process failed")
    seen = json.loads(output)
    return Round(
        requests=len(seen["latencies_ms"]),
        errors=seen["errors"],
        seconds=seen["seconds"],
        latencies_ms=seen["latencies_ms"],
        cpu_seconds=used | {"load": seen["client_cpu_seconds"]},
        resident_mib=meter.resident_mib(),
    )
