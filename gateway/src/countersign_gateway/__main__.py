"""Starts the gateway."""

import asyncio
from typing import NoReturn

from countersign_gateway.bootstrap import build
from countersign_gateway.settings import GatewaySettings
from countersign_platform.process import run
from countersign_platform.settings import load
from countersign_platform.telemetry.logging import configure_logging
from countersign_platform.telemetry.tracing import configure_tracing

NAME = "gateway"


def main() -> NoReturn:
    """Serves until SIGTERM."""
    settings = load(GatewaySettings)
    configure_logging(settings, NAME)
    run(lambda stop: _serve(settings, stop))


async def _serve(settings: GatewaySettings, stop: asyncio.Event) -> None:
    end_tracing = configure_tracing(settings, NAME)
    service = await build(settings)
    try:
        await service.start()
        await stop.wait()
        await service.stop()
    finally:
        end_tracing()


if __name__ == "__main__":
    main()
