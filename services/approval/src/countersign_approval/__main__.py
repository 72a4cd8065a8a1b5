"""Starts the approval service."""

import asyncio

from countersign_approval.bootstrap import build
from countersign_approval.settings import ApprovalSettings
from countersign_platform.process import run
from countersign_platform.settings import load
from countersign_platform.telemetry.logging import configure_logging
from countersign_platform.telemetry.tracing import configure_tracing

SERVICE = "approval"


def main() -> None:
    """Entry point of `countersign-approval`."""
    settings = load(ApprovalSettings)
    configure_logging(settings, SERVICE)
    flush_traces = configure_tracing(settings, SERVICE)

    async def serve(stop: asyncio.Event) -> None:
        service = await build(settings)
        try:
            await service.start()
            await service.wait(stop)
        finally:
            await service.stop()
            flush_traces()

    run(serve)


if __name__ == "__main__":
    main()
