"""Starts the five processes, watches them, and stops them in an order that loses nothing."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from countersign_cli.stack.environment import MODULES

READY_SECONDS = 40.0
STOP_SECONDS = 15.0
RESTART_SECONDS = 1.0


class ProcessFailedError(Exception):
    """A process did not come up; the message names it and the end of its log."""


@dataclass(slots=True)
class Running:
    """One started process."""

    name: str
    process: asyncio.subprocess.Process
    log: Path


async def start_process(name: str, environment: Mapping[str, str], logs: Path) -> Running:
    """Start one process with its output in `logs`/<name>.log."""
    log = logs / f"{name}.log"
    # A session of its own: Ctrl-C on the terminal reaches us alone, and we stop the others
    # in order.
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            MODULES[name.split("-", maxsplit=1)[0]],
            env=dict(environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    return Running(name, process, log)


async def wait_ready(running: Running, probe_url: str) -> None:
    """Wait until the process says that it is ready.

    Raises:
        ProcessFailedError: it ended, or was not ready within 40 seconds.
    """
    deadline = asyncio.get_running_loop().time() + READY_SECONDS
    async with httpx.AsyncClient(timeout=2.0) as client:
        while asyncio.get_running_loop().time() < deadline:
            if running.process.returncode is not None:
                break
            with contextlib.suppress(httpx.HTTPError):
                if (await client.get(f"{probe_url}/readyz")).is_success:
                    return
            await asyncio.sleep(0.05)
    raise ProcessFailedError(f"{running.name} did not become ready\n{log_end(running.log)}")


async def stop_process(running: Running) -> None:
    """SIGTERM, and SIGKILL when it does not drain in time."""
    if running.process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        running.process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await running.process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.process.pid, signal.SIGKILL)
        await running.process.wait()


def log_end(log: Path, lines: int = 15) -> str:
    """The last lines of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
