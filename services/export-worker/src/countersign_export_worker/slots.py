"""How much is under way at once: in hand, delivering, and each of these for one connection.

What is in hand beyond what may be delivered waits here, its lease renewed, so that a slot that
becomes free is filled at once. A slow connection fills its own share and no more: push is told
how much room each connection has, and hands nothing out for one that has none.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from uuid import UUID

from countersign_export_worker.assignment import ConnectionAccess
from countersign_export_worker.ports import Room

# What may be in hand, in what is delivered at once: the next is there when a slot becomes free.
_IN_HAND = 2


class SlotsClosed(Exception):
    """The worker is shutting down; this delivery was not begun."""


class Slots:
    """Counts deliveries; for one event loop."""

    def __init__(self, total: int, per_connection: int) -> None:
        """At most `total` deliveries at once, `per_connection` of them to one connection.

        A connection's own `concurrency` goes before `per_connection`.
        """
        self._total = total
        self._per_connection = per_connection
        self._limits: dict[UUID, int] = {}
        self._in_hand: Counter[UUID] = Counter()
        self._delivering: Counter[UUID] = Counter()
        self._changed = asyncio.Event()
        self._closed = False

    @property
    def in_hand(self) -> int:
        """Assignments that are delivering or waiting for a slot."""
        return self._in_hand.total()

    @property
    def delivering(self) -> int:
        """Deliveries under way."""
        return self._delivering.total()

    @property
    def capacity(self) -> int:
        """How many may be in hand."""
        return _IN_HAND * self._total

    @property
    def free(self) -> int:
        """How many more may be taken in hand."""
        return max(0, self.capacity - self.in_hand)

    def room(self) -> Room:
        """What may be taken in hand: of most connections, and of each where it differs."""
        usual = _IN_HAND * self._per_connection
        room = {
            connection: max(0, _IN_HAND * self._limit_of(connection) - self._in_hand[connection])
            for connection in {*self._in_hand, *self._limits}
        }
        return Room(usual, {each: left for each, left in room.items() if left != usual})

    def in_hand_of(self, connection_id: UUID) -> int:
        """Assignments of one connection that are in hand."""
        return self._in_hand[connection_id]

    def is_busy(self, room: Room) -> bool:
        """Whether a connection without room is one that delivers now, so that room will come."""
        full = (each for each, left in room.by_connection.items() if not left)
        return any(self._in_hand[each] for each in full)

    async def wait_free(self) -> int:
        """How many more may be taken in hand; waits until it is one at least."""
        while not self.free:
            await self._changed.wait()
        return self.free

    async def wait_change(self, seconds: float) -> None:
        """Return when a slot becomes free, or after so long."""
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return

    @contextmanager
    def hand(self, connection: ConnectionAccess) -> Iterator[None]:
        """Count one assignment as in hand."""
        self._note_limit(connection)
        self._in_hand[connection.id] += 1
        try:
            yield
        finally:
            _less(self._in_hand, connection.id)
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
            _less(self._delivering, connection_id)
            self._tell()

    def close(self) -> None:
        """Begin no further delivery; whoever waits for a slot is told."""
        self._closed = True
        self._tell()

    def _note_limit(self, connection: ConnectionAccess) -> None:
        if connection.concurrency:
            self._limits[connection.id] = connection.concurrency
        else:
            self._limits.pop(connection.id, None)

    def _limit_of(self, connection_id: UUID) -> int:
        return self._limits.get(connection_id, self._per_connection)

    def _has_room(self, connection_id: UUID) -> bool:
        return self.delivering < self._total and self._delivering[connection_id] < self._limit_of(
            connection_id
        )

    def _tell(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


def _less(counter: Counter[UUID], key: UUID) -> None:
    counter[key] -= 1
    if not counter[key]:
        del counter[key]
