"""Keeps operators from pushing more than can be delivered, as people do who see their queue grow.

Faults slow deliveries more than pushes. Without this, what a storm piles up decides how long all
takes to settle afterwards, and a fast machine piles up more than it delivers in a minute.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

from countersign_chaos.clients.clerk import Clerk

# Of one dropzone; five of them are delivered in well under half of the minute that is allowed.
MOST_WAITING = 300
# What has no file for so long has failed, or waits for a person: it is not counted.
_OLDEST_SECONDS = 60.0
_LOOK_SECONDS = 0.5


class Brake:
    """Of one dropzone's operators."""

    def __init__(self, clerk: Clerk, has_file: Callable[[str], bool]) -> None:
        """`has_file` says of an export whether its file was seen."""
        self._clerk = clerk
        self._has_file = has_file
        self._looked_at = 0.0
        self._waiting = 0

    async def wait(self, ending: asyncio.Event) -> None:
        """Until few enough wait, or everybody goes home."""
        while not ending.is_set() and self._count() > MOST_WAITING:
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_SECONDS):
                    await ending.wait()

    def _count(self) -> int:
        now = time.time()
        if now - self._looked_at >= _LOOK_SECONDS:
            self._looked_at, self._waiting = now, self._look(now - _OLDEST_SECONDS)
        return self._waiting

    def _look(self, since: float) -> int:
        waiting = 0
        for export_id, pushed in reversed(self._clerk.acknowledged.items()):
            if pushed.at < since:
                break
            waiting += not self._has_file(export_id)
        return waiting
