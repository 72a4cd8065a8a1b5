"""What is done beside the calls goes on, whatever one step of it meets."""

import asyncio

from countersign_audit.metrics import SEALING_FAILURES
from countersign_audit.seal_keeper import SealKeeper
from countersign_core.errors import Unavailable


async def test_a_step_that_fails_keeps_no_other_from_its_work_and_comes_again():
    turns: list[str] = []
    third = asyncio.Event()

    async def failing():
        turns.append("failing")
        raise Unavailable("away")

    async def working():
        turns.append("working")
        if turns.count("working") == 3:
            third.set()
        return 1

    before = SEALING_FAILURES._value.get()
    keeper = asyncio.create_task(SealKeeper({"a": failing, "b": working}, seconds=0).run())
    async with asyncio.timeout(20):
        await third.wait()
    keeper.cancel()
    await asyncio.wait({keeper})
    assert turns[:6] == ["failing", "working"] * 3
    assert SEALING_FAILURES._value.get() >= before + 3
