"""Deletes status changes that no live view needs any more."""

import asyncio
from datetime import timedelta

import structlog

from countersign_approval.metrics import SWEPT
from countersign_approval.ports import StatusChanges

# Small enough to be over in milliseconds.
_AT_ONCE = 1000

_log = structlog.get_logger(__name__)


class Sweeper:
    """Any number of replicas may sweep; they delete the same rows, once."""

    def __init__(self, changes: StatusChanges, *, age: timedelta, every_seconds: float) -> None:
        self._changes = changes
        self._age = age
        self._every_seconds = every_seconds

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.sweep()
            except Exception as error:  # noqa: BLE001 — what is left is swept next time
                _log.warning("status_changes_not_swept", exc_info=error)
            await asyncio.sleep(self._every_seconds)

    async def sweep(self) -> int:
        """Deletes everything that is too old, batch by batch; how many."""
        total = 0
        while swept := await self._changes.sweep(self._age, _AT_ONCE):
            SWEPT.inc(swept)
            total += swept
        return total
