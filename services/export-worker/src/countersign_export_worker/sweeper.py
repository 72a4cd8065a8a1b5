"""Removes what dead workers left in dropzones.

A file is removed only when push says that nobody needs it, and push says so only when that
can no longer change: a token on record, a live lease's file, and a withdrawn file before its
FAILED is on record stay.
"""

import asyncio

import structlog

from countersign_export_worker import metrics
from countersign_export_worker.assignment import ConnectionAccess
from countersign_export_worker.connectors.access import Connectors
from countersign_export_worker.errors import DeliveryError, WorkRefused
from countersign_export_worker.persistence import keep_doing
from countersign_export_worker.ports import WorkPort
from countersign_platform.backoff import Backoff

_log = structlog.get_logger()


class Sweeper:
    """Sweeps every dropzone, every `seconds`."""

    def __init__(self, work: WorkPort, connectors: Connectors, *, seconds: float) -> None:
        self._work = work
        self._connectors = connectors
        self._seconds = seconds
        self._backoff = Backoff(first_seconds=min(1.0, seconds), longest_seconds=seconds)

    async def run(self) -> None:
        """Until cancelled."""
        await keep_doing("sweep", self._sweep_and_rest, self._backoff)

    async def sweep(self) -> int:
        """Sweep every dropzone once; how many files were removed."""
        removed = 0
        for connection in await self._work.list_dropzones():
            try:
                removed += await self._sweep_one(connection)
            except (DeliveryError, WorkRefused) as error:
                _log.warning(
                    "sweep_failed",
                    org_id=str(connection.org_id),
                    connection_id=str(connection.id),
                    error=str(error),
                )
        return removed

    async def _sweep_and_rest(self) -> None:
        await self.sweep()
        await asyncio.sleep(self._seconds)

    async def _sweep_one(self, connection: ConnectionAccess) -> int:
        connector = self._connectors.reach(connection)
        names = await connector.list_leftovers()
        # Two orgs may share a folder: push knows only the files of the org that is asked about.
        removable = await self._work.removable(connection.org_id, names) if names else frozenset()
        for name in removable:
            await connector.discard(name)
            metrics.LEFTOVERS_REMOVED.inc()
            _log.info("leftover_removed", org_id=str(connection.org_id), name=str(name))
        return len(removable)
