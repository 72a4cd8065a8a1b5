"""Starts the export worker."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn

from countersign_export_worker.bootstrap import Worker, build
from countersign_export_worker.settings import WorkerSettings
from countersign_platform.process import run
from countersign_platform.settings import load
from countersign_platform.telemetry.logging import configure_logging
from countersign_platform.telemetry.tracing import configure_tracing

SERVICE = "export-worker"


def start(build_worker: Callable[[WorkerSettings], Awaitable[Worker]]) -> NoReturn:
    """Run a worker until SIGTERM, then drain; ends the process."""
    settings = load(WorkerSettings)
    configure_logging(settings, SERVICE)
    flush_traces = configure_tracing(settings, SERVICE)

    async def work(stop: asyncio.Event) -> None:
        worker = await build_worker(settings)
        try:
            await worker.start()
            await worker.run_until(stop)
        finally:
            await worker.stop()
            flush_traces()

    run(work)


def main() -> None:
    """Entry point of `countersign-export-worker`."""
    start(build)


if __name__ == "__main__":
    main()
