"""One round of pgbench, its latencies included."""

import asyncio
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from bench.measure.figures import Round
from bench.measure.proc import CpuMeter
from countersign_platform.postgres_wheel import installation


async def run_pgbench(
    url: str,
    script: str,
    *,
    clients: int,
    transactions: int,
    variables: Mapping[str, int | str],
    pids: Mapping[str, int],
) -> Round:
    """`transactions` of `script` by each of `clients`, prepared; a failed one is an error."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "script.sql")
        path.write_text(script, encoding="utf-8")
        meter = CpuMeter(pids)
        begun = asyncio.get_running_loop().time()
        process = await asyncio.create_subprocess_exec(
            str(installation() / "bin" / "pgbench"),
            *("--no-vacuum", "--protocol=prepared", "--jobs=2", "--log"),
            *(f"--file={path}", f"--client={clients}", f"--transactions={transactions}"),
            *(f"--define={name}={value}" for name, value in variables.items()),
            url,
            cwd=folder,
            env=os.environ | {"LC_ALL": "C"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, problems = await process.communicate()
        if process.returncode != 0:
            raise RuntimeError(f"pgbench: {problems.decode()[-2000:]}")
        seconds = asyncio.get_running_loop().time() - begun
        used = meter.seconds()
        latencies = [
            int(line.split()[2]) / 1000
            for log in Path(folder).glob("pgbench_log.*")
            for line in log.read_text(encoding="ascii").splitlines()
        ]
    return Round(
        requests=len(latencies),
        errors=clients * transactions - len(latencies),
        seconds=_measured_seconds(output.decode(), len(latencies)) or seconds,
        latencies_ms=latencies,
        cpu_seconds=used,
        resident_mib=meter.resident_mib(),
    )


def _measured_seconds(output: str, count: int) -> float:
    for line in output.splitlines():
        if line.startswith("tps = "):
            return count / float(line.split()[2])
    return 0.0
