"""What follows too soon rests; for longer, when nothing was left."""

import asyncio

import pytest

from countersign_export_worker.pace import Pace

PAUSE_SECONDS = 0.05
NEVER_SECONDS = 3600.0


async def _begun(pace: Pace, *, more: bool = False) -> float:
    async with asyncio.timeout(60), pace.step() as step:
        step.more = more
        return asyncio.get_running_loop().time()


async def test_the_first_step_begins_at_once() -> None:
    await _begun(Pace(NEVER_SECONDS, NEVER_SECONDS))


async def test_after_one_that_took_all_the_next_begins_when_the_pause_is_over() -> None:
    pace = Pace(PAUSE_SECONDS, NEVER_SECONDS)
    first, second = await _begun(pace), await _begun(pace)
    assert second - first >= PAUSE_SECONDS * 0.9


async def test_after_one_that_left_something_the_busy_pause_counts() -> None:
    pace = Pace(NEVER_SECONDS, PAUSE_SECONDS)
    first, second = await _begun(pace, more=True), await _begun(pace)
    assert second - first >= PAUSE_SECONDS * 0.9


async def test_a_step_that_fails_is_followed_by_a_pause_too() -> None:
    pace = Pace(PAUSE_SECONDS, NEVER_SECONDS)
    with pytest.raises(ValueError, match="away"):
        async with pace.step():
            raise ValueError("away")
    failed = asyncio.get_running_loop().time()
    assert await _begun(pace) - failed >= PAUSE_SECONDS * 0.8
