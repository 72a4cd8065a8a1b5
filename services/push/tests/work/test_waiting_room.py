"""Long polls: in order, as many as there is work for, and no wake-up lost."""

import asyncio

import pytest

from countersign_push.waiting_room import WaitingRoom


async def nothing_due(_limit):
    return 0


@pytest.fixture
def room():
    return WaitingRoom(nothing_due, poll_seconds=60)


async def test_as_many_are_woken_as_there_is_work_for_in_their_order(room):
    woken = []

    async def wait(name):
        with room.seat() as seat:
            if await seat.wait(5):
                woken.append(name)

    tasks = [asyncio.create_task(wait(name)) for name in "abc"]
    await asyncio.sleep(0)
    room.wake(2)
    await asyncio.gather(*tasks[:2])
    assert woken == ["a", "b"]
    room.wake()
    await tasks[2]
    assert woken == ["a", "b", "c"]


async def test_a_wake_up_while_looking_is_not_lost(room):
    """Between the look at the database and the wait there is no gap."""
    with room.seat() as seat:
        room.wake()
        assert await seat.wait(0)


async def test_a_busy_workers_wake_up_is_passed_on(room):
    busy = room.seat()
    busy.__enter__()
    with room.seat() as idle:
        room.wake()
        busy.__exit__(None, None, None)  # it found work without waiting
        assert await idle.wait(0)


async def test_time_runs_out(room):
    with room.seat() as seat:
        assert not await seat.wait(0.01)
        assert not await seat.wait(-1)


async def test_the_poll_asks_for_no_more_than_wait_and_rests_when_nobody_does():
    asked = []

    async def one_due(limit):
        asked.append(limit)
        return 1

    room = WaitingRoom(one_due, poll_seconds=0.01)
    task = asyncio.create_task(room.run())
    await asyncio.sleep(0.05)
    assert asked == []
    with room.seat() as first, room.seat() as second:
        assert await first.wait(5)
        assert await second.wait(5)
    assert asked == [2, 1]
    await asyncio.sleep(0.05)
    assert asked == [2, 1]
    task.cancel()


async def test_a_poll_that_fails_does_not_end_the_polling():
    calls = []

    async def flaky(_limit):
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("away")
        return 1

    room = WaitingRoom(flaky, poll_seconds=0.01)
    task = asyncio.create_task(room.run())
    with room.seat() as seat:
        assert await seat.wait(5)
    task.cancel()


async def test_a_closed_room_lets_nobody_wait(room):
    with room.seat() as seat:
        room.close()
        assert await seat.wait(5)
    with room.seat() as late:
        assert await late.wait(5)
    assert room.closed
