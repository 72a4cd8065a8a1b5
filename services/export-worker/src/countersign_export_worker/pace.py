"""A short rest between two claims, so that what comes meanwhile is taken by one of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class Step:
    """What a block says of itself: whether `more` waits than it took."""

    more: bool = False


class Pace:
    """Blocks that follow each other, each a while after the end of the one before.

    `busy_seconds` when that one left something behind, `seconds` when it took all there was: then
    there is time to wait for company.
    """

    def __init__(self, seconds: float, busy_seconds: float) -> None:
        self._seconds = seconds
        self._busy_seconds = busy_seconds
        self._next = 0.0

    @asynccontextmanager
    async def step(self) -> AsyncIterator[Step]:
        """Rest for what is left of the pause; then the block."""
        loop = asyncio.get_running_loop()
        rest = self._next - loop.time()
        if rest > 0:
            await asyncio.sleep(rest)
        step = Step()
        try:
            yield step
        finally:
            pause = self._busy_seconds if step.more else self._seconds
            self._next = loop.time() + pause
