"""Reads that wait together are one exchange, and each asker hears of its own names only."""

import asyncio

import pytest

from countersign_push.shared_reads import SharedReads


class Shelf:
    """Answers b"<name>", one exchange at a time, each when it is let go."""

    def __init__(self) -> None:
        self.exchanges = []
        self.let_go = asyncio.Event()
        self.fails_with = None

    async def read(self, names):
        self.exchanges.append(names)
        await self.let_go.wait()
        if self.fails_with is not None:
            raise self.fails_with
        return [name.encode() for name in names]


@pytest.fixture
def shelf():
    return Shelf()


async def ask_all(reads, *questions):
    """The first is under way when the others come."""
    first = asyncio.create_task(reads.get(questions[0]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return [first, *(asyncio.create_task(reads.get(each)) for each in questions[1:])]


async def test_who_asks_while_a_read_is_under_way_shares_the_next_one(shelf):
    tasks = await ask_all(SharedReads(shelf.read), ["a"], ["b", "c"], ["d"])
    await asyncio.sleep(0)
    shelf.let_go.set()
    assert await asyncio.gather(*tasks) == [[b"a"], [b"b", b"c"], [b"d"]]
    assert shelf.exchanges == [["a"], ["b", "c", "d"]]


async def test_a_failure_reaches_everyone_who_shared_it_and_the_next_read_is_a_new_one(shelf):
    reads = SharedReads(shelf.read)
    tasks = await ask_all(reads, ["a"], ["b"])
    shelf.fails_with = OSError("away")
    shelf.let_go.set()
    assert all(
        isinstance(each, OSError) for each in await asyncio.gather(*tasks, return_exceptions=True)
    )
    shelf.fails_with = None
    assert await reads.get(["c"]) == [b"c"]


async def test_a_caller_that_gives_up_leaves_the_others_unharmed(shelf):
    tasks = await ask_all(SharedReads(shelf.read), ["a"], ["b"], ["c"])
    await asyncio.sleep(0)
    tasks[0].cancel()
    tasks[1].cancel()
    await asyncio.sleep(0)
    shelf.let_go.set()
    assert await tasks[2] == [b"c"]


async def test_who_asks_right_after_a_read_waits_a_moment_for_company(shelf):
    shelf.let_go.set()
    reads = SharedReads(shelf.read)
    assert await reads.get(["a"]) == [b"a"]
    first = asyncio.create_task(reads.get(["b"]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    second = asyncio.create_task(reads.get(["c"]))
    assert await asyncio.gather(first, second) == [[b"b"], [b"c"]]
    assert shelf.exchanges == [["a"], ["b", "c"]]
