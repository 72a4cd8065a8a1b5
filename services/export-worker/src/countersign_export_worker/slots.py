"""How much is under way at once: in hand, delivering, and delivering to one connection.

What is in hand beyond what may be delivered waits here, its lease renewed, so that a slot
that becomes free is filled at once. A slow connection fills its own share and no more.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from uuid import UUID


class SlotsClosed(Exception):
    """The worker is shutting down; this delivery was not begun."""


class Slots:
    """Counts deliveries; for one event loop."""

    def __init__(self, total: int, per_connection: int) -> None:
        """At most `total` deliveries at once, `per_connection` of them to one connection."""
        self._total = total
        self._per_connection = per_connection
        self._in_hand = 0
        self._delivering: Counter[UUID] = Counter()
        self._changed = asyncio.Event()
        self._closed = False

    @property
    def in_hand(self) -> int:
        """Assignments that are delivering or waiting for a slot."""
        return self._in_hand

    @property
    def delivering(self) -> int:
        """Deliveries under way."""
        return self._delivering.total()

    @property
    def capacity(self) -> int:
        """How many may be in hand: twice as many as deliver at once."""
        return 2 * self._total

    @property
    def free(self) -> int:
        """How many more may be taken in hand."""
        return max(0, self.capacity - self._in_hand)

    async def wait_free(self) -> int:
        """How many more may be taken in hand; waits until it is one at least."""
        while not self.free:
            await self._changed.wait()
        return self.free

    @contextmanager
    def hand(self) -> Iterator[None]:
        """Count one assignment as in hand."""
        self._in_hand += 1
        try:
            yield
        finally:
            self._in_hand -= 1
            self._tell()

    @asynccontextmanager
    async def slot(self, connection_id: UUID) -> AsyncIterator[None]:
        """Wait for a slot and keep it.

        Raises:
            SlotsClosed: closed while waiting.
        """
        while not self._closed and not self._has_room(connection_id):
            await self._changed.wait()
        if self._closed:
            raise SlotsClosed
        self._delivering[connection_id] += 1
        try:
            yield
        finally:
            self._delivering[connection_id] -= 1
            if not self._delivering[connection_id]:
                del self._delivering[connection_id]
            self._tell()

    def close(self) -> None:
        """Begin no further delivery; whoever waits for a slot is told."""
        self._closed = True
        self._tell()

    def _has_room(self, connection_id: UUID) -> bool:
        return (
            self.delivering < self._total and self._delivering[connection_id] < self._per_connection
        )

    def _tell(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
