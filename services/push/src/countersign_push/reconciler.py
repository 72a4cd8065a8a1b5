"""Nothing stays PENDING for ever: what is due and free is offered to the workers again.

With a broker, an offer is a fresh message through the outbox; without one, it wakes the
workers that wait in this process. Any number of replicas may run this.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC

import structlog

from countersign.push.v1 import events_pb2
from countersign_core.ids import derived_id
from countersign_push.metrics import EXPORTS_HELD, EXPORTS_PENDING, EXPORTS_STUCK, OLDEST_PENDING
from countersign_push.store.reconcile import Candidate, Offer, ReconcileStore
from countersign_push.store.work import WorkStore

_log = structlog.get_logger()

_BATCH = 200


@dataclass(frozen=True, slots=True)
class ReconcilePace:
    """Seconds: between two rounds, until an untaken offer is repeated, until stuck is stuck."""

    every: float = 2.0
    offer_again_after: float = 30.0
    stuck_after: float = 60.0


class MessageOffers:
    """Offers through the outbox, for workers that listen to a broker."""

    def __init__(self, store: ReconcileStore, wake_relay: Callable[[], None]) -> None:
        self._store = store
        self._wake_relay = wake_relay

    async def __call__(self, offered_before: float) -> int:
        """Offer one batch of what was not offered for so many seconds; how many it were."""
        candidates = await self._store.candidates(offered_before, _BATCH)
        if not candidates:
            return 0
        offered = await self._store.offer([_offer(candidate) for candidate in candidates])
        if offered:
            self._wake_relay()
        return offered


class WakeOffers:
    """Offers by waking the workers that wait in this process."""

    def __init__(self, work: WorkStore, wake: Callable[[int], None]) -> None:
        self._work = work
        self._wake = wake

    async def __call__(self, offered_before: float) -> int:
        """Wake one waiter per due export; a claim decides, so age does not matter."""
        del offered_before
        due = await self._work.count_due(_BATCH)
        self._wake(due)
        return due


class Reconciler:
    """Offers and counts, round after round."""

    def __init__(
        self, store: ReconcileStore, offers: MessageOffers | WakeOffers, pace: ReconcilePace
    ) -> None:
        self._store = store
        self._offers = offers
        self._pace = pace

    async def run(self) -> None:
        """Until cancelled; a round that fails is logged and the next one comes."""
        while True:
            try:
                await self.run_once()
            except Exception:  # noqa: BLE001 — whatever it was, the next round must come
                _log.warning("reconcile_round_failed", exc_info=True)
            await asyncio.sleep(self._pace.every)

    async def run_once(self) -> int:
        """One round; how many exports it offered."""
        offered = await self._offers(self._pace.offer_again_after)
        if offered:
            _log.info("exports_offered_again", count=offered)
        figures = await self._store.figures(self._pace.stuck_after)
        EXPORTS_PENDING.set(figures.pending)
        EXPORTS_STUCK.set(figures.stuck)
        EXPORTS_HELD.set(figures.held)
        OLDEST_PENDING.set(figures.oldest_seconds)
        return offered


def _offer(candidate: Candidate) -> Offer:
    """The same candidate gives the same message id on every replica."""
    org_id, export_id = candidate.org_id, candidate.export_id
    offered_before = candidate.offered_at.astimezone(UTC).isoformat()
    message = events_pb2.ExportRequested(org_id=str(org_id), export_id=str(export_id))
    work_id = derived_id("offer", org_id, export_id, candidate.fence, offered_before)
    return Offer(candidate, work_id, message.SerializeToString())
