"""The one claim path: from an assignment to its end on record, whoever woke the worker."""

import asyncio
import time
from collections.abc import Callable
from uuid import UUID

import structlog

from countersign_export_worker import metrics
from countersign_export_worker.assignment import Assignment
from countersign_export_worker.connectors.access import Connectors
from countersign_export_worker.delivery import Delivery, Outcome, OutcomeKind
from countersign_export_worker.delivery_context import delivery_context
from countersign_export_worker.errors import LeaseLost, WorkError
from countersign_export_worker.lease_keeper import LeaseKeeper
from countersign_export_worker.ports import WorkPort
from countersign_export_worker.reports import PersistentReports
from countersign_export_worker.slots import Slots, SlotsClosed

_log = structlog.get_logger()


class DeliveryDesk:
    """Takes assignments in hand: a slot, a kept lease, a delivery, and what is seen of it."""

    def __init__(
        self,
        work: WorkPort,
        *,
        connectors: Connectors,
        slots: Slots,
        check_document: Callable[[Assignment], None],
    ) -> None:
        self._work = work
        self._reports = PersistentReports(work)
        self._keeper = LeaseKeeper(work)
        self._connectors = connectors
        self._slots = slots
        self._check_document = check_document

    async def claim_and_deliver(self, org_id: UUID, export_id: UUID) -> bool:
        """Deliver one export if it is due and nobody has it; whether it was.

        Raises:
            WorkUnavailable: push cannot be asked; nothing was claimed, as far as is known.
            SlotsClosed: the worker is shutting down; the export was given back.
        """
        asked_at = _now()
        assignment = await self._work.claim_export(org_id, export_id)
        if assignment is None:
            return False
        await self.deliver(assignment, asked_at)
        return True

    async def deliver(self, assignment: Assignment, asked_at: float) -> None:
        """Bring one assignment to an end. `asked_at`: the event loop's time before the claim.

        Raises:
            SlotsClosed: the worker is shutting down; the export was given back.
        """
        begun = time.perf_counter()
        with delivery_context(assignment), self._slots.hand():
            metrics.IN_HAND.set(self._slots.in_hand)
            try:
                outcome, code = await self._deliver_in_slot(assignment, asked_at)
            except SlotsClosed:
                await self._give_back(assignment)
                _record("RELEASED", "", begun)
                raise
            finally:
                metrics.DELIVERING.set(self._slots.delivering)
            _record(outcome, code, begun)
        metrics.IN_HAND.set(self._slots.in_hand)

    async def _deliver_in_slot(self, assignment: Assignment, asked_at: float) -> tuple[str, str]:
        try:
            async with (
                self._keeper.hold(assignment.lease, assignment.lease_seconds, asked_at),
                self._slots.slot(assignment.connection.id),
            ):
                metrics.DELIVERING.set(self._slots.delivering)
                outcome = await self._delivery(assignment).run()
        except LeaseLost:
            outcome = Outcome(OutcomeKind.LEASE_LOST)
        except WorkError as error:
            # Not on record: the lease runs out and the reconciler offers the export again.
            _log.exception("delivery_not_recorded")
            return "ABANDONED", type(error).__name__
        if outcome.kind is OutcomeKind.LEASE_LOST:
            metrics.LEASES_LOST.inc()
        return outcome.kind, outcome.code

    def _delivery(self, assignment: Assignment) -> Delivery:
        return Delivery(
            assignment,
            connector=self._connectors.reach(assignment.connection, insist=assignment.last_attempt),
            reports=self._reports,
            check_document=self._check_document,
        )

    async def _give_back(self, assignment: Assignment) -> None:
        try:
            await self._work.release_lease(assignment.lease)
        except WorkError as error:
            _log.warning("lease_not_released", error=str(error))


def _record(outcome: str, code: str, begun: float) -> None:
    seconds = time.perf_counter() - begun
    metrics.DELIVERIES.labels(outcome, code).inc()
    metrics.DELIVERY_SECONDS.labels(outcome).observe(seconds)
    _log.info("delivery_ended", outcome=outcome, code=code, seconds=round(seconds, 6))


def _now() -> float:
    return asyncio.get_running_loop().time()
