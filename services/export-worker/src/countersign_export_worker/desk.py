"""The one claim path: from an assignment to its end on record, whoever woke the worker."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass

import structlog

from countersign_export_worker import metrics
from countersign_export_worker.assignment import Assignment
from countersign_export_worker.connectors.access import Connectors
from countersign_export_worker.delivery import Delivery, Outcome, OutcomeKind
from countersign_export_worker.delivery_context import delivery_context
from countersign_export_worker.errors import LeaseLost, WorkError
from countersign_export_worker.lease_keeper import LeaseKeeper
from countersign_export_worker.pace import Pace
from countersign_export_worker.ports import Room, WorkPort
from countersign_export_worker.reports import PersistentReports
from countersign_export_worker.slots import Slots, SlotsClosed
from countersign_platform.shared_calls import SharedCalls

_log = structlog.get_logger()
# How long an export may wait behind connections that are full.
_LOOK_AGAIN_SECONDS = 0.25
# Seconds between two claims, after one that took all there was, and after one that did not. Exports
# come, and slots become free, one by one; a claim for each costs push and PostgreSQL more than the
# delivery that it brings.
_CLAIM_RESTS = (0.05, 0.01)
# What one claim may bring, by the contract.
_MOST = 64
# How long one message may keep a worker busy, so that the broker does not take it for dead.
_LONGEST_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Claim:
    """What one claim brought, and the room there was when it was made, at `asked_at`.

    `in_haste`: push was not kept waiting, so there may soon be more.
    """

    assignments: Sequence[Assignment]
    room: Room
    asked_at: float
    in_haste: bool


@dataclass(frozen=True, slots=True)
class _Look:
    """What a claim brought to one message; whether to ask `again`, maybe after a while."""

    begun: "list[asyncio.Task[None]]"
    again: bool
    room_will_come: bool


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
        # One question at a time: room that is asked for twice would be given twice.
        self._looks = SharedCalls[None, _Look](
            self._look_alone, self._look, at_once=1, patience_seconds=None
        )
        self._pace = Pace(*_CLAIM_RESTS)
        self._begun: set[asyncio.Task[None]] = set()

    def room(self) -> Room:
        """What may be taken now: by what is in hand, and by whose server is in doubt."""
        room = self._slots.room()
        doubtful = {
            each: max(0, most - self._slots.in_hand_of(each))
            for each, most in self._connectors.room().items()
        }
        merged = dict(room.by_connection)
        for each, most in doubtful.items():
            merged[each] = min(most, merged.get(each, most))
        return Room(room.of_others, merged)

    async def claim(self, wait_seconds: float = 0.0) -> Claim:
        """As much of what is due as may be taken in hand, a short rest after the claim before.

        `wait_seconds`: how long push may wait for something to become due. While something is in
        hand, or a connection has no room, push is not kept waiting: what is due may be kept back
        for want of room, and a worker that freezes has asked for nothing beyond what it holds.

        Raises:
            WorkError: push cannot be asked, or refuses.
        """
        async with self._pace.step() as step:
            room, asked_at, most = self.room(), _now(), min(self._slots.free, _MOST)
            in_haste = bool(self._slots.in_hand) or room.has_full
            wait = 0.0 if in_haste else wait_seconds
            assignments = await self._work.claim_next(most, wait, room) if most else []
            step.more = leaves_more(assignments, most, room)
        return Claim(assignments, room, asked_at, in_haste)

    async def claim_and_deliver(self) -> bool:
        """Deliver due exports, fairly chosen, until none is left; whether there was one.

        They are delivered beside each other, so that a server that does not answer keeps nobody
        else waiting. While connections are full, what is due may be theirs: then it is asked
        again as soon as a slot is free, and now and then for the others. Returns when what was
        begun has ended.

        Raises:
            WorkUnavailable: push cannot be asked; nothing was claimed, as far as is known.
            SlotsClosed: the worker is shutting down; the export was given back.
        """
        deliveries: set[asyncio.Task[None]] = set()
        delivered, end = False, _now() + _LONGEST_SECONDS
        async with _awaited(deliveries):
            while _now() < end and await self._begin_next(deliveries):
                delivered = delivered or bool(deliveries)
                _drop_ended(deliveries)
        return delivered

    async def _begin_next(self, deliveries: set[asyncio.Task[None]]) -> bool:
        """Begin more deliveries, or wait for room; False when there is nothing to ask for."""
        look = await self._looks.ask(None)
        # Not awaited here: it may take as long as a dead server's timeout, and this may be
        # the only message that tells of an export of somebody else's.
        deliveries.update(look.begun)
        if look.room_will_come:
            await self._slots.wait_change(_LOOK_AGAIN_SECONDS)
        return look.again

    async def _look_alone(self, _message: None) -> "_Look":
        [look] = await self._look([None])
        return look

    async def _look(self, messages: Sequence[None]) -> "list[_Look]":
        """One claim for all that wait: what it brings is dealt out among them."""
        claim = await self.claim()
        begun = [
            asyncio.ensure_future(self.take(each, claim.asked_at)) for each in claim.assignments
        ]
        for each in begun:
            self._begun.add(each)
            each.add_done_callback(self._begun.discard)
        full = not begun and (not self._slots.free or self._slots.is_busy(claim.room))
        count = len(messages)
        return [
            _Look(begun[n::count], again=bool(begun) or full, room_will_come=full)
            for n in range(count)
        ]

    def take(self, assignment: Assignment, asked_at: float) -> Awaitable[None]:
        """Count an assignment as in hand from now on; await the result to deliver it.

        `asked_at`: the event loop's time before the claim. Raises SlotsClosed when awaited: the
        worker is shutting down; the export was given back.
        """
        hand = ExitStack()
        hand.enter_context(self._slots.hand(assignment.connection))
        metrics.IN_HAND.set(self._slots.in_hand)
        return self._deliver(assignment, asked_at, hand)

    async def deliver(self, assignment: Assignment, asked_at: float) -> None:
        """Bring one assignment to an end; see `take`."""
        await self.take(assignment, asked_at)

    async def _deliver(self, assignment: Assignment, asked_at: float, hand: ExitStack) -> None:
        begun = time.perf_counter()
        with hand, delivery_context(assignment):
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


def leaves_more(claimed: Sequence[Assignment], most: int, room: Room) -> bool:
    """Whether a claim of `most`, or the room of one of its connections, was used up."""
    taken = Counter(each.connection.id for each in claimed)
    return len(claimed) >= most or any(
        count >= room.by_connection.get(each, room.of_others) for each, count in taken.items()
    )


def _record(outcome: str, code: str, begun: float) -> None:
    seconds = time.perf_counter() - begun
    metrics.DELIVERIES.labels(outcome, code).inc()
    metrics.DELIVERY_SECONDS.labels(outcome).observe(seconds)
    _log.info("delivery_ended", outcome=outcome, code=code, seconds=round(seconds, 6))


@asynccontextmanager
async def _awaited(deliveries: set[asyncio.Task[None]]) -> AsyncIterator[None]:
    """Leave when all have ended, with what ended one of them; cancelled, cancel them."""
    try:
        try:
            yield
        except Exception:
            await _ended(deliveries)
            raise
        await _ended(deliveries)
        _drop_ended(deliveries)
    finally:
        for each in deliveries:
            each.cancel()
        await asyncio.gather(*deliveries, return_exceptions=True)


async def _ended(deliveries: set[asyncio.Task[None]]) -> None:
    if deliveries:
        await asyncio.wait(deliveries)


def _drop_ended(deliveries: set[asyncio.Task[None]]) -> None:
    """Forget those that ended well; raise what ended another."""
    ended = {each for each in deliveries if each.done()}
    for each in ended:
        each.result()
    deliveries -= ended


def _now() -> float:
    return asyncio.get_running_loop().time()
