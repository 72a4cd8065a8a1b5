"""The replay cache on a real Redis, and without one."""

import asyncio
import time
from uuid import UUID, uuid4

import pytest
from prometheus_client import REGISTRY

from countersign_core.errors import CountersignError
from countersign_core.lifecycle import ExportStatus
from countersign_core.reasons import Reason
from countersign_platform.testing.servers import RedisServer
from countersign_push.no_replay_cache import NoReplayCache
from countersign_push.ports import FinalReplay, KeyScope
from countersign_push.push_intent import Operation
from countersign_push.replay_cache import PAUSE_SECONDS, RedisReplayCache

pytestmark = pytest.mark.integration


def scope(**changes):
    values = {"org_id": uuid4(), "operation": Operation.PUSH, "key": "k"}
    return KeyScope(**{**values, **changes})


def replay(status=ExportStatus.ACKED):
    return FinalReplay(uuid4(), status, b"f" * 32)


class Ticks:
    """A monotonic clock that moves when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def cache(redis):
    made = RedisReplayCache.connect(redis.url, timeout_seconds=2.0)
    yield made
    await made.close()


@pytest.fixture
async def sql_spy(world):
    """Counts the statements that the service sends."""
    calls = []
    fetch = world.database.fetch

    async def counted(sql, *args):
        calls.append(sql)
        return await fetch(sql, *args)

    world.database.fetch = counted
    return calls


@pytest.fixture
async def cached_world(world, cache):
    """The service with Redis."""
    await world.stop()
    world.replays = cache
    await world.start()
    return world


async def operator_of(world):
    client = world.client()
    await world.orders.connection(client.org_id)
    return client


async def test_what_was_kept_is_found(cache):
    where, draft, answer = scope(), uuid4(), replay()
    await cache.keep(where, draft, answer, 60.0)
    assert await cache.look_up(where, [uuid4(), draft]) == {draft: answer}


@pytest.mark.parametrize(
    "other",
    [{"org_id": UUID(int=1)}, {"operation": Operation.RETRY}, {"key": "K"}, {"key": "k:k"}],
)
async def test_nobody_finds_what_was_kept_in_another_scope(cache, other):
    """Another tenant, another operation, another key: nothing in common."""
    org, draft = uuid4(), uuid4()
    await cache.keep(scope(org_id=org), draft, replay(), 60.0)
    elsewhere = scope(**{"org_id": org, **other})
    assert await cache.look_up(elsewhere, [draft]) == {}


async def test_an_answer_lives_no_longer_than_its_key(cache):
    where, draft = scope(), uuid4()
    await cache.keep(where, draft, replay(), 0.05)
    await asyncio.sleep(0.1)
    assert await cache.look_up(where, [draft]) == {}
    await cache.keep(where, draft, replay(), 0.0)
    assert await cache.look_up(where, [draft]) == {}


async def test_after_a_failure_redis_is_left_alone_for_a_while():
    """The first call pays for the failure, the next ones do not even try."""
    clock = Ticks()
    with RedisServer() as server:
        url = server.url
    cache = RedisReplayCache.connect(url, timeout_seconds=0.5)
    cache._clock = clock
    before = REGISTRY.get_sample_value("countersign_replay_cache_failures_total")
    where, draft = scope(), uuid4()
    for _ in range(3):
        assert await cache.look_up(where, [draft]) == {}
        await cache.keep(where, draft, replay(), 60.0)
    assert REGISTRY.get_sample_value("countersign_replay_cache_failures_total") == before + 1
    clock.now += PAUSE_SECONDS
    assert await cache.look_up(where, [draft]) == {}
    assert REGISTRY.get_sample_value("countersign_replay_cache_failures_total") == before + 2
    await cache.close()


async def test_a_redis_that_does_not_answer_costs_no_more_than_the_time_set():
    """A server that accepts and says nothing is the worst kind of away."""

    async def silent(reader, writer):
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    cache = RedisReplayCache.connect(f"redis://127.0.0.1:{port}/0", timeout_seconds=0.05)
    started = time.monotonic()
    assert await cache.look_up(scope(), [uuid4()]) == {}
    assert time.monotonic() - started < 1.0
    await cache.close()
    server.close()


async def test_what_somebody_else_wrote_there_counts_as_unknown(cache, redis):
    where, draft = scope(), uuid4()
    await cache.keep(where, draft, replay(), 60.0)
    [name] = await cache._redis.keys("*")
    await cache._redis.set(name, "not ours")
    assert await cache.look_up(where, [draft]) == {}


async def test_no_cache_knows_nothing():
    cache = NoReplayCache()
    where, draft = scope(), uuid4()
    await cache.keep(where, draft, replay(), 60.0)
    assert await cache.look_up(where, [draft]) == {}


@pytest.mark.parametrize("status", ["ACKED", "FAILED"])
async def test_a_final_answer_costs_no_query_the_second_time(cached_world, sql_spy, status):
    world = cached_world
    client = await operator_of(world)
    draft = await world.orders.approved(client.org_id)
    export = UUID((await client.push(draft, "k")).erp_export_id)
    if status == "ACKED":
        await world.orders.sent(client.org_id, export)
        await world.orders.acked(client.org_id, export)
    else:
        await world.orders.failed(client.org_id, export)
    from_database = await client.push(draft, "k")
    sql_spy.clear()
    from_redis = await client.push(draft, '"k"')
    assert from_redis == from_database
    assert (from_redis.erp_export_id, from_redis.replayed) == (str(export), True)
    assert sql_spy == []


@pytest.mark.parametrize("status", ["PENDING", "SENT"])
async def test_an_answer_that_can_change_is_never_kept(cached_world, cache, status):
    """SENT may still become ACKED or FAILED: a cached SENT would be a lie for a day."""
    world = cached_world
    client = await operator_of(world)
    draft = await world.orders.approved(client.org_id)
    export = UUID((await client.push(draft, "k")).erp_export_id)
    if status == "SENT":
        await world.orders.sent(client.org_id, export)
    await client.push(draft, "k")
    assert await cache._redis.keys("*") == []


async def test_a_kept_answer_is_bound_to_the_request(cached_world, sql_spy):
    world = cached_world
    client = await operator_of(world)
    draft = await world.orders.approved(client.org_id)
    export = UUID((await client.push(draft, "k")).erp_export_id)
    await world.orders.failed(client.org_id, export)
    await client.push(draft, "k")
    sql_spy.clear()
    with pytest.raises(CountersignError) as refused:
        await client.push(draft, "k", expected_version=2)
    assert refused.value.reason is Reason.IDEMPOTENCY_KEY_REUSED
    assert sql_spy == []


async def test_losing_redis_loses_no_answer(cached_world, redis):
    world = cached_world
    client = await operator_of(world)
    draft = await world.orders.approved(client.org_id)
    export = UUID((await client.push(draft, "k")).erp_export_id)
    await world.orders.failed(client.org_id, export)
    first = await client.push(draft, "k")
    redis.flush()
    assert await client.push(draft, "k") == first


async def test_a_batch_asks_redis_once_for_all_its_drafts(cached_world, sql_spy):
    world = cached_world
    client = await operator_of(world)
    drafts = [await world.orders.approved(client.org_id) for _ in range(3)]
    for result in await client.batch(*drafts, keys=("k",)):
        await world.orders.failed(client.org_id, UUID(result.pushed.erp_export_id))
    from_database = await client.batch(*drafts, keys=("k",))
    sql_spy.clear()
    assert await client.batch(*drafts, keys=("k",)) == from_database
    assert sql_spy == []


async def test_replays_are_counted_by_their_source(cached_world):
    world = cached_world
    client = await operator_of(world)

    def count(source):
        labels = {"source": source}
        return REGISTRY.get_sample_value("countersign_push_replays_total", labels) or 0.0

    before = count("database"), count("redis")
    draft = await world.orders.approved(client.org_id)
    export = UUID((await client.push(draft, "k")).erp_export_id)
    await world.orders.failed(client.org_id, export)
    for _ in range(3):
        await client.push(draft, "k")
    assert (count("database") - before[0], count("redis") - before[1]) == (1, 2)
