"""The live feed on a table whose rows come into sight when the test says so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from countersign_approval.metrics import WATCHERS
from countersign_approval.status_change import StatusChange
from countersign_approval.status_feed import StatusFeed
from countersign_core.errors import Unavailable
from countersign_core.lifecycle import DraftStatus

ORG = uuid4()


class Table:
    """Status changes in memory; a row can be in sight long before it is settled."""

    def __init__(self) -> None:
        self.rows: dict[int, StatusChange] = {}
        self.polls = 0
        self.away = False
        self._asked = asyncio.Event()

    async def polled(self, times: int) -> None:
        """Returns after so many polls from now."""
        for _ in range(times):
            self._asked.clear()
            await asyncio.wait_for(self._asked.wait(), 60)

    def show(self, *ids: int, settled: bool = False) -> None:
        for row_id in ids:
            self.rows[row_id] = StatusChange(
                row_id, uuid4(), None, DraftStatus.READY, 1, datetime.now(UTC), settled
            )

    async def safe_start(self, _org_id: UUID, cursor: int | None) -> int:
        self._answer()
        return max(
            (
                row.id
                for row in self.rows.values()
                if row.settled and (cursor is None or row.id <= cursor)
            ),
            default=0,
        )

    async def behind(self, _org_id: UUID, start: int, limit: int) -> list[StatusChange]:
        self.polls += 1
        self._asked.set()
        self._answer()
        return [self.rows[row_id] for row_id in sorted(self.rows) if row_id > start][:limit]

    async def sweep(self, _age, _limit) -> int:
        raise NotImplementedError

    def _answer(self) -> None:
        if self.away:
            raise Unavailable("The database is not available")


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
def feed(table) -> StatusFeed:
    return StatusFeed(table, poll_seconds=0.001, heartbeat_seconds=30, ring_size=8)


async def take(watch: AsyncIterator[StatusChange | None], count: int) -> list[int | None]:
    found = []
    async with asyncio.timeout(60):
        for _ in range(count):
            change = await anext(watch)
            found.append(None if change is None else change.id)
    return found


async def test_a_watch_begins_with_a_sign_of_life_and_shows_what_comes_then(feed, table):
    table.show(1, 2, settled=True)
    table.show(3)
    async with aclosing(feed.watch(ORG, None)) as watch:
        assert await take(watch, 1) == [None]
        table.show(4, 5)
        assert await take(watch, 2) == [4, 5]


async def test_a_row_with_a_smaller_id_that_comes_into_sight_late_is_shown(feed, table):
    table.show(1, settled=True)
    async with aclosing(feed.watch(ORG, None)) as watch:
        await take(watch, 1)
        table.show(5)
        assert await take(watch, 1) == [5]
        table.show(3)
        assert await take(watch, 1) == [3]
        table.show(6)
        assert await take(watch, 1) == [6]


async def test_rows_are_shown_once_while_they_settle(feed, table):
    async with aclosing(feed.watch(ORG, None)) as watch:
        await take(watch, 1)
        table.show(1, 2)
        assert await take(watch, 2) == [1, 2]
        table.show(1, 2, settled=True)
        await table.polled(3)
        table.show(3)
        assert await take(watch, 1) == [3]


async def test_a_resumed_watch_misses_nothing_after_its_cursor(feed, table):
    table.show(1, 2, settled=True)
    table.show(3, 4, 6)
    async with aclosing(feed.watch(ORG, 4)) as watch:
        assert await take(watch, 4) == [None, 3, 4, 6]
        table.show(5)
        assert await take(watch, 1) == [5]


async def test_a_cursor_of_nobody_shows_what_lies_behind_it(feed, table):
    table.show(1, 2, 3, settled=True)
    async with aclosing(feed.watch(ORG, 0)) as watch:
        assert await take(watch, 4) == [None, 1, 2, 3]


async def test_a_watcher_that_falls_behind_the_ring_reads_the_table(feed, table):
    table.show(1, settled=True)
    async with aclosing(feed.watch(ORG, None)) as slow:
        await take(slow, 1)
        async with aclosing(feed.watch(ORG, None)) as quick:
            await take(quick, 1)
            for first in range(2, 42, 4):
                table.show(*range(first, first + 4))
                await take(quick, 4)
        assert await take(slow, 40) == list(range(2, 42))
        table.show(42)
        assert await take(slow, 1) == [42]


async def test_many_watchers_of_an_org_share_one_poller(feed, table):
    async with aclosing(feed.watch(ORG, None)) as one, aclosing(feed.watch(ORG, None)) as two:
        await take(one, 1)
        polls = table.polls
        await take(two, 1)
        assert table.polls - polls <= 1
        table.show(1)
        assert await take(one, 1) == await take(two, 1) == [1]


async def test_a_quiet_watch_shows_signs_of_life(table):
    feed = StatusFeed(table, poll_seconds=0.001, heartbeat_seconds=0.001)
    async with aclosing(feed.watch(ORG, None)) as watch:
        assert await take(watch, 3) == [None, None, None]


async def test_the_last_watcher_ends_the_polling(feed, table):
    watchers = WATCHERS._value.get()
    async with aclosing(feed.watch(ORG, None)) as watch:
        await take(watch, 1)
        assert WATCHERS._value.get() == watchers + 1
        assert [task for task in asyncio.all_tasks() if "OrgFeed" in repr(task)]
    assert not [task for task in asyncio.all_tasks() if "OrgFeed" in repr(task)]
    assert WATCHERS._value.get() == watchers


async def test_an_outage_costs_time_and_no_change(feed, table):
    async with aclosing(feed.watch(ORG, None)) as watch:
        await take(watch, 1)
        table.away = True
        table.show(1)
        await table.polled(2)
        table.away = False
        assert await take(watch, 1) == [1]


async def test_a_watch_cannot_begin_while_the_database_is_away(feed, table):
    table.away = True
    with pytest.raises(Unavailable):
        await take(feed.watch(ORG, None), 1)
    table.away = False
    async with aclosing(feed.watch(ORG, None)) as watch:
        assert await take(watch, 1) == [None]
