"""The status changes of one org, polled once for everyone in this process who watches it.

Ids are given before their rows can be seen, so "everything behind id N" would miss rows. The
poller therefore reads again from the last settled id, and leaves out what it has shown. What it
finds goes into a ring with positions of its own; a watcher that falls behind the ring reads the
table.
"""

import asyncio
import contextvars
from collections import deque
from contextlib import suppress
from uuid import UUID

import structlog

from countersign_approval.ports import StatusChanges
from countersign_approval.status_change import StatusChange

_READ_AT_ONCE = 1000

_log = structlog.get_logger(__name__)


class OrgFeed:
    """Polls while it runs; `head` is the position behind the newest change."""

    def __init__(
        self, org_id: UUID, changes: StatusChanges, *, poll_seconds: float, ring_size: int
    ) -> None:
        self.watchers = 0
        self.head = 0
        self._org_id = org_id
        self._changes = changes
        self._poll_seconds = poll_seconds
        self._ring: deque[StatusChange] = deque(maxlen=ring_size)
        self._settled_id = 0
        self._shown: set[int] = set()
        self._news = asyncio.Event()
        self._begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # A fresh context: the poller outlives the call that began it, and its deadline.
        self._task = asyncio.create_task(self._run(), context=contextvars.Context())

    @property
    def settled_id(self) -> int:
        """Behind this id lies everything that is not in sight for good."""
        return self._settled_id

    async def begun(self) -> None:
        """Returns once whatever comes into sight will be shown.

        Raises:
            Unavailable: the database is away.
        """
        await asyncio.shield(self._begun)

    def behind(self, position: int) -> list[StatusChange] | None:
        """What was found since `position`; None when the ring does not reach back so far."""
        missing = self.head - position
        if missing > len(self._ring):
            return None
        return list(self._ring)[len(self._ring) - missing :]

    async def news(self, position: int, timeout_seconds: float) -> bool:
        """Waits for something behind `position`; False when the time ran out first."""
        if self.head > position:
            return True
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                await self._news.wait()
        return self.head > position

    async def stop(self) -> None:
        """Ends the polling."""
        self._task.cancel()
        await asyncio.wait({self._task})
        if self._begun.done() and not self._begun.cancelled():
            self._begun.exception()

    async def _run(self) -> None:
        try:
            self._settled_id = await self._changes.safe_start(self._org_id, None)
            await self._poll()
        except Exception as error:  # noqa: BLE001 — handed to whoever began to watch
            self._begun.set_exception(error)
            return
        self._begun.set_result(None)
        while True:
            await asyncio.sleep(self._poll_seconds)
            try:
                self._show(await self._poll())
            except Exception as error:  # noqa: BLE001 — the next poll reads from the same id
                _log.warning("status_feed_not_polled", org_id=str(self._org_id), exc_info=error)

    async def _poll(self) -> list[StatusChange]:
        """What came into sight since the last poll, by id."""
        rows = await self._all_behind(self._settled_id)
        new = [row for row in rows if row.id not in self._shown]
        for row in rows:
            if not row.settled:
                break
            self._settled_id = row.id
        self._shown = {row.id for row in rows if row.id > self._settled_id}
        return new

    async def _all_behind(self, start: int) -> list[StatusChange]:
        rows: list[StatusChange] = []
        while True:
            page = await self._changes.behind(self._org_id, start, _READ_AT_ONCE)
            rows += page
            if len(page) < _READ_AT_ONCE:
                return rows
            start = page[-1].id

    def _show(self, changes: list[StatusChange]) -> None:
        if not changes:
            return
        self._ring.extend(changes)
        self.head += len(changes)
        self._news.set()
        self._news = asyncio.Event()
