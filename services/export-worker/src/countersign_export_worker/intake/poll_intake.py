"""Without a broker: asks push for due work, and waits for it there."""

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any

import structlog

from countersign_export_worker import metrics
from countersign_export_worker.desk import CLAIM_RESTS, MOST, DeliveryDesk, leaves_more
from countersign_export_worker.pace import Pace
from countersign_export_worker.persistence import keep_doing
from countersign_export_worker.ports import WorkPort
from countersign_export_worker.slots import Slots, SlotsClosed
from countersign_platform.backoff import Backoff

_log = structlog.get_logger()
_BACKOFF = Backoff(first_seconds=0.2, longest_seconds=5.0)
# How long an export may wait behind connections that are full.
_LOOK_AGAIN_SECONDS = 0.25


class PollIntake:
    """Claims as much as fits in hand; deliveries go on while the next claim waits."""

    def __init__(
        self, work: WorkPort, desk: DeliveryDesk, slots: Slots, *, wait_seconds: float
    ) -> None:
        """`wait_seconds`: how long push may keep a claim waiting."""
        self._work = work
        self._desk = desk
        self._slots = slots
        self._wait_seconds = wait_seconds
        self._pace = Pace(*CLAIM_RESTS)
        self._deliveries: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()

    @property
    def is_ready(self) -> bool:
        """Nothing is needed beyond push itself."""
        return True

    def stop(self) -> None:
        """Claim nothing more; `run` returns when what is in hand has ended."""
        self._stopping.set()

    async def run(self) -> None:
        """Claim and deliver until `stop`. Cancelled, it drops what is in hand."""
        claiming = self._task(keep_doing("claim", self._claim_once, _BACKOFF))
        stopped = self._task(self._stopping.wait())
        try:
            await asyncio.wait({claiming, stopped}, return_when=asyncio.FIRST_COMPLETED)
            await _end(claiming)
            while self._deliveries:
                await asyncio.wait(self._deliveries)
        finally:
            await _end(claiming, stopped, *self._deliveries)

    async def _claim_once(self) -> None:
        async with self._pace.step() as step:
            most = min(await self._slots.wait_free(), MOST)
            room = self._desk.room()
            # With a connection that has less room, what is due may be its own: push is not kept
            # waiting with it, and what becomes free is filled soon.
            wait_seconds = 0.0 if room.by_connection else self._wait_seconds
            assignments = await self._work.claim_next(most, wait_seconds, room)
            step.more = leaves_more(assignments, most, room)
        # A long poll: the lease began at its end, not at its start.
        received_at = asyncio.get_running_loop().time()
        metrics.WAKE_UPS.labels("poll", str(bool(assignments)).lower()).inc()
        for assignment in assignments:
            delivery = self._task(self._deliver(self._desk.take(assignment, received_at)))
            self._deliveries.add(delivery)
            delivery.add_done_callback(self._deliveries.discard)
        if not assignments and room.by_connection:
            await self._slots.wait_change(_LOOK_AGAIN_SECONDS)

    async def _deliver(self, taken: Awaitable[None]) -> None:
        try:
            await taken
        except SlotsClosed:
            return
        except Exception:  # noqa: BLE001 — one delivery must not end the others
            _log.exception("delivery_failed")

    def _task(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        return asyncio.create_task(coroutine)


async def _end(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
