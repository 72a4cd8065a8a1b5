"""Lets go of what connectors keep open for connections that nobody uses."""

import asyncio

from countersign_export_worker.connectors.registry import ConnectorRegistry

# How much longer than it should be something may stay open.
_LATE = 0.25


class IdleConnectors:
    """Closes connectors that were not used for `seconds`; the next use opens one anew."""

    def __init__(self, registry: ConnectorRegistry, *, seconds: float) -> None:
        self._registry = registry
        self._seconds = seconds

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(self._seconds * _LATE)
            await self._registry.close_idle(self._seconds)
