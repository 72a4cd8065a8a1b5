"""A lease is kept while there is work, and the work stops before the lease does."""

import asyncio

import pytest

from countersign_export_worker.assignment import Lease
from countersign_export_worker.errors import LeaseLost, WorkUnavailable
from countersign_export_worker.lease_keeper import LeaseKeeper
from countersign_export_worker.testing.samples import EXPORT, ORG
from countersign_export_worker.testing.work_twin import WorkTwin

LEASE = Lease(ORG, EXPORT, 1)
SECONDS = 0.6


class Renewals(WorkTwin):
    """Answers renewals as it is told, and counts them."""

    def __init__(self, *answers: Exception | None) -> None:
        super().__init__()
        self.answers = list(answers)
        self.asked = 0

    async def renew_lease(self, lease: Lease) -> None:
        self.asked += 1
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer


def _now() -> float:
    return asyncio.get_running_loop().time()


async def test_work_may_last_longer_than_the_lease() -> None:
    """Renewed after each third of it."""
    work = Renewals()
    begun = _now()
    async with LeaseKeeper(work).hold(LEASE, SECONDS, begun):
        while work.asked < 5:
            await asyncio.sleep(0.01)
    assert _now() - begun > SECONDS


async def test_work_stops_before_the_lease_ends_when_push_is_away() -> None:
    """Counted from before the claim, on the worker's own clock."""
    work = Renewals(*[WorkUnavailable("away")] * 100)
    begun = _now()
    with pytest.raises(LeaseLost):
        async with LeaseKeeper(work).hold(LEASE, SECONDS, begun):
            await asyncio.sleep(60)
    assert SECONDS / 3 < _now() - begun < SECONDS
    assert work.asked > 1


async def test_work_goes_on_when_push_comes_back_in_time() -> None:
    """One lost renewal costs nothing."""
    work = Renewals(WorkUnavailable("away"), None)
    begun = _now()
    async with LeaseKeeper(work).hold(LEASE, SECONDS, begun):
        await asyncio.sleep(SECONDS * 1.2)
    assert work.asked >= 3


async def test_work_stops_at_once_when_the_lease_is_lost() -> None:
    """Another worker has the export."""
    begun = _now()
    with pytest.raises(LeaseLost):
        async with LeaseKeeper(Renewals(LeaseLost())).hold(LEASE, SECONDS, begun):
            await asyncio.sleep(60)
    assert _now() - begun < SECONDS * 0.8


async def test_lease_that_was_over_before_the_work_began_is_lost() -> None:
    """An assignment that waited too long is not begun."""
    ran: list[bool] = []

    async def work_under(keeper: LeaseKeeper) -> None:
        async with keeper.hold(LEASE, SECONDS, _now() - SECONDS):
            await asyncio.sleep(0)
            ran.append(True)

    with pytest.raises(LeaseLost):
        await work_under(LeaseKeeper(Renewals()))
    assert not ran


async def test_error_of_the_work_passes_through() -> None:
    """Also a TimeoutError of its own is not taken for the lease's end."""
    with pytest.raises(TimeoutError):
        async with LeaseKeeper(Renewals()).hold(LEASE, SECONDS, _now()):
            raise TimeoutError
    with pytest.raises(ValueError, match="mine"):
        async with LeaseKeeper(Renewals()).hold(LEASE, SECONDS, _now()):
            raise ValueError("mine")


async def test_nothing_is_renewed_after_the_work() -> None:
    """The keeper's task ends with the block."""
    work = Renewals()
    async with LeaseKeeper(work).hold(LEASE, 0.03, _now()):
        pass
    await asyncio.sleep(0.05)
    assert work.asked == 0
