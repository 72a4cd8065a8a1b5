"""Without a broker: asks push for due work, and waits for it there."""

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any

import structlog

from countersign_export_worker import metrics
from countersign_export_worker.desk import DeliveryDesk
from countersign_export_worker.persistence import keep_doing
from countersign_export_worker.slots import Slots, SlotsClosed
from countersign_platform.backoff import Backoff

_log = structlog.get_logger()
_BACKOFF = Backoff(first_seconds=0.2, longest_seconds=5.0)
# How long an export may wait behind connections that are full.
_LOOK_AGAIN_SECONDS = 0.25


class PollIntake:
    """Claims as much as fits in hand; deliveries go on while the next claim waits."""

    def __init__(self, desk: DeliveryDesk, slots: Slots, *, wait_seconds: float) -> None:
        """`wait_seconds`: how long push may keep a claim waiting."""
        self._desk = desk
        self._slots = slots
        self._wait_seconds = wait_seconds
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
        await self._slots.wait_free()
        claim = await self._desk.claim(self._wait_seconds)
        # A long poll: the lease began at its end, not at its start.
        received_at = asyncio.get_running_loop().time()
        metrics.WAKE_UPS.labels("poll", str(bool(claim.assignments)).lower()).inc()
        for assignment in claim.assignments:
            delivery = self._task(self._deliver(self._desk.take(assignment, received_at)))
            self._deliveries.add(delivery)
            delivery.add_done_callback(self._deliveries.discard)
        if not claim.assignments and claim.in_haste:
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
