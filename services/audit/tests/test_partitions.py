"""Months: made ahead, made on demand, and a chain that runs through them."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from countersign_audit.partition_keeper import PartitionKeeper
from countersign_core.errors import Unavailable

PARTITIONS = """
SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'audit.events'::regclass
"""


async def _names(owner):
    return {row[0] for row in await owner.fetch(PARTITIONS)}


@pytest.mark.integration
async def test_the_months_ahead_are_there_after_the_migration(owner):
    assert len(await _names(owner)) == 3


@pytest.mark.integration
async def test_months_are_made_ahead_once(store, owner):
    assert await store.ensure_partitions(5) == 3
    assert await store.ensure_partitions(5) == 0
    assert len(await _names(owner)) == 6


@pytest.mark.integration
async def test_replicas_that_make_the_same_months_do_not_collide(store, owner):
    made = await asyncio.gather(*(store.ensure_partitions(12) for _ in range(6)))
    assert (sum(made), len(await _names(owner))) == (10, 13)


@pytest.mark.integration
async def test_a_month_begins_and_ends_in_utc(owner):
    await owner.execute("SET timezone = 'America/New_York'")
    moment = datetime(2031, 3, 31, 23, 59, 59, 999999, tzinfo=UTC)
    assert await owner.fetchval("SELECT audit.ensure_partition($1)", moment)
    assert not await owner.fetchval("SELECT audit.ensure_partition($1)", moment)
    assert "audit.events_2031_03" in await _names(owner)
    bounds = await owner.fetchval(
        "SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname = 'events_2031_03'"
    )
    assert "'2031-02-28 19:00:00-05'" in bounds
    assert "'2031-03-31 20:00:00-04'" in bounds


@pytest.mark.integration
async def test_appends_make_the_month_that_they_need(store, owner, make_event):
    for name in await _names(owner):
        await owner.execute(f"DROP TABLE {name}")
    await asyncio.gather(*(store.append([make_event(org_id=uuid4())]) for _ in range(8)))
    assert len(await _names(owner)) == 1
    assert await owner.fetchval("SELECT count(*) FROM audit.events") == 8


@pytest.mark.integration
async def test_a_chain_runs_through_months_and_never_back(
    store, owner, org_id, make_event, verify_chain
):
    """The clock stood in 2040 once; what follows stays there, so that a month is one stretch."""
    await store.append([make_event(), make_event()])
    await owner.execute("ALTER TABLE audit.chain_heads DISABLE TRIGGER USER")
    await owner.execute("UPDATE audit.chain_heads SET recorded_at = '2040-01-31 12:00Z'")
    await store.append([make_event()])
    assert "audit.events_2040_01" in await _names(owner)
    recorded = await owner.fetch("SELECT recorded_at FROM audit.events ORDER BY seq")
    assert recorded == sorted(recorded)
    verdict = await verify_chain(org_id, 0, 0)
    assert (verdict.flaw, verdict.checked) == (None, 3)


class Maker:
    """Fails as often as it is told, then makes one partition a turn."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.turns = 0
        self.third_turn = asyncio.Event()

    async def ensure_partitions(self, months_ahead):
        self.turns += 1
        if self.turns == 3:
            self.third_turn.set()
        if self.turns <= self.failures:
            raise Unavailable("away")
        return 1


async def test_the_keeper_goes_on_after_a_failure():
    maker = Maker(failures=2)
    keeper = asyncio.create_task(PartitionKeeper(maker, months_ahead=2, check_seconds=0).run())
    await asyncio.wait_for(maker.third_turn.wait(), 60)
    keeper.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeper
