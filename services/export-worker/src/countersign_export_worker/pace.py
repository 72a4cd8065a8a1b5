"""A short rest between two things, so that what comes meanwhile is done by one of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Pace:
    """Blocks that follow each other begin `seconds` after the end of the one before, or later."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._next = 0.0

    @asynccontextmanager
    async def step(self) -> AsyncIterator[None]:
        """Rest for what is left of the pause; then the block."""
        loop = asyncio.get_running_loop()
        rest = self._next - loop.time()
        if rest > 0:
            await asyncio.sleep(rest)
        try:
            yield
        finally:
            self._next = loop.time() + self._seconds
