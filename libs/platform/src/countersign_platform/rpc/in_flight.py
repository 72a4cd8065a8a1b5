"""The calls that are being handled now, so that a stop can wait for them."""

import asyncio


class InFlight:
    """Counts handlers; `drain` tells streams to end and waits for everyone."""

    def __init__(self) -> None:
        self._count = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self.draining = asyncio.Event()

    @property
    def count(self) -> int:
        """Handlers at work."""
        return self._count

    def enter(self) -> None:
        """A handler begins."""
        self._count += 1
        self._idle.clear()

    def leave(self) -> None:
        """A handler is done."""
        self._count -= 1
        if self._count == 0:
            self._idle.set()

    async def drain(self, timeout_seconds: float) -> bool:
        """Waits until no handler is at work; False when the time ran out first."""
        self.draining.set()
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True
