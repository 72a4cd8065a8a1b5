"""What is under way at once stays within its bounds."""

import asyncio
from uuid import UUID

import pytest

from countersign_export_worker.assignment import ConnectionAccess
from countersign_export_worker.slots import Slots, SlotsClosed

ONE, OTHER = UUID(int=1), UUID(int=2)


async def _occupy(slots: Slots, connection: UUID, release: asyncio.Event) -> None:
    with slots.hand(ConnectionAccess(connection, UUID(int=9), "X", "{}")):
        async with slots.slot(connection):
            await release.wait()


async def _settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_slow_connection_leaves_slots_to_the_others() -> None:
    """It fills its own share and no more."""
    slots, release = Slots(total=4, per_connection=2), asyncio.Event()
    slow = [asyncio.create_task(_occupy(slots, ONE, release)) for _ in range(6)]
    await _settle()
    assert slots.delivering == 2
    quick = [asyncio.create_task(_occupy(slots, OTHER, release)) for _ in range(6)]
    await _settle()
    assert slots.delivering == 4
    assert slots.in_hand == 12
    release.set()
    await asyncio.gather(*slow, *quick)
    assert (slots.delivering, slots.in_hand) == (0, 0)


async def test_total_is_never_exceeded() -> None:
    """However many connections there are."""
    slots = Slots(total=3, per_connection=3)
    most = 0

    async def deliver(number: int) -> None:
        nonlocal most
        async with slots.slot(UUID(int=number)):
            most = max(most, slots.delivering)
            await asyncio.sleep(0)

    await asyncio.gather(*(deliver(number) for number in range(50)))
    assert most == 3


async def test_claims_wait_until_something_fits_in_hand() -> None:
    """Twice as many as deliver at once: one half waits, its slot filled at once."""
    slots, release = Slots(total=1, per_connection=1), asyncio.Event()
    assert await slots.wait_free() == 2
    tasks = [asyncio.create_task(_occupy(slots, ONE, release)) for _ in range(2)]
    await _settle()
    assert slots.free == 0
    waiting = asyncio.create_task(slots.wait_free())
    await _settle()
    assert not waiting.done()
    release.set()
    assert 1 <= await waiting <= 2
    await asyncio.gather(*tasks)


async def test_closing_turns_away_who_waits_and_leaves_who_works() -> None:
    """What was not begun can be given back."""
    slots, release = Slots(total=1, per_connection=1), asyncio.Event()
    working = asyncio.create_task(_occupy(slots, ONE, release))
    await _settle()
    waiting = asyncio.create_task(_occupy(slots, ONE, release))
    await _settle()
    slots.close()
    with pytest.raises(SlotsClosed):
        await waiting
    assert not working.done()
    release.set()
    await working


async def test_cancelled_delivery_frees_its_slot() -> None:
    """A slot is never lost."""
    slots, release = Slots(total=1, per_connection=1), asyncio.Event()
    working = asyncio.create_task(_occupy(slots, ONE, release))
    await _settle()
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    assert (slots.delivering, slots.in_hand) == (0, 0)
    async with slots.slot(ONE):
        assert slots.delivering == 1


async def test_a_full_connection_has_no_room_and_others_have_theirs() -> None:
    """Push is told of the connections that have other than the usual room, and only of them."""
    slots, release = Slots(total=8, per_connection=2), asyncio.Event()
    assert slots.room().by_connection == {}
    tasks = [asyncio.create_task(_occupy(slots, ONE, release)) for _ in range(4)]
    tasks.append(asyncio.create_task(_occupy(slots, OTHER, release)))
    await _settle()
    room = slots.room()
    assert (room.of_others, room.by_connection) == (4, {ONE: 0, OTHER: 3})
    assert slots.is_busy(room)
    release.set()
    await asyncio.gather(*tasks)
    assert slots.room().by_connection == {}


async def test_a_connections_own_limit_goes_before_the_workers() -> None:
    """An ERP that bears one session gets one delivery at a time."""
    slots, release = Slots(total=8, per_connection=4), asyncio.Event()
    access = ConnectionAccess(ONE, UUID(int=9), "X", "{}", concurrency=1)

    async def occupy() -> None:
        with slots.hand(access):
            async with slots.slot(ONE):
                await release.wait()

    tasks = [asyncio.create_task(occupy()) for _ in range(3)]
    await _settle()
    assert (slots.delivering, slots.room().by_connection) == (1, {ONE: 0})
    release.set()
    await asyncio.gather(*tasks)


async def test_a_connection_that_bears_more_has_more_room() -> None:
    """Push hands out as much for it at once as may be in hand, not as much as for others."""
    slots = Slots(total=32, per_connection=2)
    access = ConnectionAccess(ONE, UUID(int=9), "X", "{}", concurrency=8)
    with slots.hand(access):
        room = slots.room()
        assert (room.of_others, room.by_connection) == (4, {ONE: 15})
    assert slots.room().by_connection == {ONE: 16}


async def test_a_connection_that_bears_less_is_full_only_while_it_is() -> None:
    slots = Slots(total=8, per_connection=4)
    access = ConnectionAccess(ONE, UUID(int=9), "X", "{}", concurrency=1)
    with slots.hand(access), slots.hand(access):
        assert slots.room().has_full
    assert slots.room().by_connection == {ONE: 2}
    assert not slots.room().has_full


async def test_a_cancelled_wait_ends_even_if_a_slot_becomes_free_just_then() -> None:
    """Or a worker that is told to stop goes on claiming until it is killed."""
    slots, release = Slots(total=1, per_connection=1), asyncio.Event()
    task = asyncio.create_task(_occupy(slots, ONE, release))
    waiting = asyncio.create_task(slots.wait_change(30))
    await _settle()
    slots.close()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    release.set()
    await task
