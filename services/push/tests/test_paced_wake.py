"""Workers are woken at once after a rest, and together under load."""

import asyncio

from countersign_push.paced_wake import PacedWake


class Bell:
    """Counts what it is told, and lets a test wait for it."""

    def __init__(self) -> None:
        self.told = []
        self.rung = asyncio.Event()

    def __call__(self, count) -> None:
        self.told.append(count)
        self.rung.set()


async def test_a_push_after_a_rest_is_told_at_once():
    bell = Bell()
    PacedWake(bell, pace_seconds=60)()
    assert bell.told == [1]


async def test_pushes_within_the_pace_are_told_together():
    bell = Bell()
    wake = PacedWake(bell, pace_seconds=0.001)
    for _ in range(4):
        wake()
    bell.rung.clear()
    await bell.rung.wait()
    assert bell.told == [1, 3]


async def test_after_a_pace_without_pushes_the_next_is_told_at_once_again():
    bell = Bell()
    wake = PacedWake(bell, pace_seconds=0.001)
    wake()
    async with asyncio.timeout(60):
        while not wake._resting:
            await asyncio.sleep(0.001)
    wake()
    assert bell.told == [1, 1]
