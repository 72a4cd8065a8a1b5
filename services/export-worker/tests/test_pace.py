"""What follows too soon rests."""

import asyncio

import pytest

from countersign_export_worker.pace import Pace

PAUSE_SECONDS = 0.05


async def _begun(pace: Pace) -> float:
    async with pace.step():
        return asyncio.get_running_loop().time()


async def test_the_first_step_begins_at_once() -> None:
    async with asyncio.timeout(60):
        await _begun(Pace(3600.0))


async def test_the_next_begins_when_the_pause_is_over() -> None:
    pace = Pace(PAUSE_SECONDS)
    first, second = await _begun(pace), await _begun(pace)
    assert second - first >= PAUSE_SECONDS * 0.9


async def test_a_step_that_fails_is_followed_by_a_pause_too() -> None:
    pace = Pace(PAUSE_SECONDS)
    with pytest.raises(ValueError, match="away"):
        async with pace.step():
            raise ValueError("away")
    failed = asyncio.get_running_loop().time()
    assert await _begun(pace) - failed >= PAUSE_SECONDS * 0.8
