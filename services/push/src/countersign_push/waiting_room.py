"""Where idle long polls wait, so that many idle workers cost one small query a second.

A wake-up is a hint given in this process right after a commit; the poll finds what became due
by the clock or was committed by another replica. Both wake no more waiters than there is work
for, in the order in which they came.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

import structlog

_log = structlog.get_logger()


class Seat:
    """One waiter's place. Take it before looking for work: a wake-up in between then counts."""

    def __init__(self) -> None:
        self.called = asyncio.Event()
        self.heard = False

    async def wait(self, seconds: float) -> bool:
        """Whether it was called within `seconds`; then it is worth looking again."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(seconds, 0)):
                await self.called.wait()
        self.heard = self.called.is_set()
        return self.heard


class WaitingRoom:
    """Seats in order, and the one poll that serves them all."""

    def __init__(self, count_due: Callable[[int], Awaitable[int]], poll_seconds: float) -> None:
        """`count_due(limit)` counts what is due in the database, up to `limit`."""
        self._count_due = count_due
        self._poll_seconds = poll_seconds
        self._waiting: OrderedDict[Seat, None] = OrderedDict()
        self._occupied = asyncio.Event()
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether the process is about to stop; nobody should wait any more."""
        return self._closed

    @contextmanager
    def seat(self) -> Iterator[Seat]:
        """A place in the queue; a call that its holder did not need goes to the next one."""
        seat = Seat()
        self._take(seat)
        try:
            yield seat
        finally:
            self._waiting.pop(seat, None)
            self._note_occupancy()
            if seat.called.is_set() and not seat.heard:
                self.wake()

    def wake(self, count: int = 1) -> None:
        """Call the next `count` waiters: something is due."""
        for _ in range(min(count, len(self._waiting))):
            seat, _none = self._waiting.popitem(last=False)
            seat.called.set()
        self._note_occupancy()

    def close(self) -> None:
        """Call everybody and let nobody wait again."""
        self._closed = True
        self.wake(len(self._waiting))

    async def run(self) -> None:
        """Poll while somebody waits; until cancelled."""
        while True:
            await self._occupied.wait()
            await asyncio.sleep(self._poll_seconds)
            if not self._waiting:
                continue
            try:
                self.wake(await self._count_due(len(self._waiting)))
            except Exception:  # noqa: BLE001 — whatever it is, the waiters behind it must not starve
                _log.warning("poll_for_due_work_failed", exc_info=True)

    def _take(self, seat: Seat) -> None:
        if self._closed:
            seat.called.set()
            return
        self._waiting[seat] = None
        self._note_occupancy()

    def _note_occupancy(self) -> None:
        if self._waiting:
            self._occupied.set()
        else:
            self._occupied.clear()
