"""Re-offers: exactly once per period with any number of replicas, and what the gauges show."""

import asyncio
import json
from uuid import uuid4

import pytest

from countersign.push.v1.events_pb2 import ExportRequested
from countersign_push import metrics
from countersign_push.reconciler import MessageOffers, ReconcilePace, Reconciler, WakeOffers
from countersign_push.store.reconcile import ReconcileStore
from countersign_push.store.sweep import SweepStore
from countersign_push.store.work import WorkStore
from countersign_push.sweeper import Sweeper

pytestmark = pytest.mark.integration


@pytest.fixture
def reconciler(database):
    """Makes a replica's reconciler for a broker; counts how often the relay is woken."""

    def make(**pace):
        store = ReconcileStore(database)
        woken = []
        made = Reconciler(
            store, MessageOffers(store, lambda: woken.append(1)), ReconcilePace(**pace)
        )
        made.woken = woken
        return made

    return make


async def offers(queue, org):
    return await queue.sql.fetch(
        "SELECT * FROM push.outbox WHERE org_id = $1 AND lane = 'work' ORDER BY seq", org
    )


async def test_a_fresh_export_is_not_offered_again(queue, reconciler):
    org, _ = await queue.one()
    assert await reconciler().run_once() == 0
    assert await offers(queue, org) == []


async def test_an_export_nobody_took_is_offered_once_per_period(queue, reconciler):
    org, export = await queue.one()
    await queue.set(export, "offered_at = now() - interval '31 s'")
    replica = reconciler()
    assert [await replica.run_once() for _ in range(3)] == [1, 0, 0]
    [row] = await offers(queue, org)
    assert ExportRequested.FromString(row["payload"]) == ExportRequested(
        org_id=str(org), export_id=str(export)
    )
    assert json.loads(row["headers"]) == {
        "x-request-id": "req-1",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
    }
    assert replica.woken == [1]
    await queue.set(export, "offered_at = now() - interval '31 s'")
    assert await replica.run_once() == 1
    assert len(await offers(queue, org)) == 2


async def test_many_replicas_offer_each_export_once(queue, reconciler):
    """Four at once over 150 exports: 150 messages."""
    org = uuid4()
    exports = await queue.pending(org, await queue.connection(org), 150)
    await queue.sql.execute("UPDATE push.exports SET offered_at = now() - interval '31 s'")
    replicas = [reconciler() for _ in range(4)]
    offered = await asyncio.gather(*(replica.run_once() for replica in replicas))
    offered += [await replica.run_once() for replica in replicas]
    assert sum(offered) == 150
    messages = [ExportRequested.FromString(row["payload"]) for row in await offers(queue, org)]
    assert sorted(m.export_id for m in messages) == sorted(map(str, exports))


@pytest.mark.parametrize("why", ["run_out", "deferred", "released"])
async def test_what_became_due_since_its_last_offer_is_offered_at_once(
    queue, worker, reconciler, why
):
    """A lease ran out, a delay passed, a worker gave it back: no need to wait for the period."""
    org, export = await queue.one()
    lease = (await worker.claim(org, export)).lease
    replica = reconciler()
    assert await replica.run_once() == 0
    if why == "run_out":
        await queue.run_out(export)
    elif why == "released":
        await worker.release(lease)
    else:
        await worker.deferred(lease)
        assert await replica.run_once() == 0
        await queue.make_due(export)
    assert [await replica.run_once() for _ in range(2)] == [1, 0]
    assert len(await offers(queue, org)) == 1


async def test_finished_and_leased_exports_are_left_alone(queue, worker, reconciler):
    org, export = await queue.one()
    lease = (await worker.claim(org, export)).lease
    await queue.set(export, "offered_at = now() - interval '1 h'")
    assert await reconciler().run_once() == 0
    await worker.sent(lease)
    assert await reconciler().run_once() == 0
    assert await offers(queue, org) == []


async def test_a_batch_is_bounded_and_the_oldest_come_first(queue, reconciler):
    for _ in range(8):
        org = uuid4()
        await queue.pending(org, await queue.connection(org), 30)
    await queue.sql.execute("UPDATE push.exports SET offered_at = created_at - interval '1 h'")
    replica = reconciler()
    assert [await replica.run_once() for _ in range(3)] == [200, 40, 0]


async def test_one_connection_does_not_fill_the_queue(queue, reconciler):
    """A few messages of it are enough: each makes a worker deliver until nothing is due."""
    org = uuid4()
    await queue.pending(org, await queue.connection(org), 70)
    await queue.sql.execute("UPDATE push.exports SET offered_at = created_at - interval '1 h'")
    replica = reconciler()
    assert [await replica.run_once() for _ in range(4)] == [32, 32, 6, 0]


async def test_nothing_of_a_paused_connection_is_offered(queue, reconciler):
    """Nobody could claim it."""
    org = uuid4()
    await queue.pending(org, await queue.connection(org, status="PAUSED"), 3)
    await queue.sql.execute("UPDATE push.exports SET offered_at = created_at - interval '1 h'")
    assert await reconciler().run_once() == 0


async def test_without_a_broker_waiting_workers_are_woken_and_nothing_is_written(queue, database):
    org, _ = await queue.one()
    woken = []
    store = ReconcileStore(database)
    replica = Reconciler(store, WakeOffers(WorkStore(database), woken.append), ReconcilePace())
    assert await replica.run_once() == 1
    assert woken == [1]
    assert await offers(queue, org) == []


async def test_the_setting_decides_between_messages_and_wake_ups(site_of):
    async with site_of(loops=False) as without:
        assert isinstance(without.hand_out.reconciler._offers, WakeOffers)
    async with site_of(loops=False, broker_url="amqp://nowhere") as broker:
        assert isinstance(broker.hand_out.reconciler._offers, MessageOffers)


async def test_the_gauges_show_what_is_pending_stuck_and_held(queue, worker, reconciler):
    org = uuid4()
    exports = await queue.pending(org, await queue.connection(org), 4)
    stuck, held, leased, due = exports
    await queue.set(stuck, "next_attempt_at = now() - interval '61 s'")
    for export in (held, leased):
        await queue.make_due(export)
    lease = (await worker.claim(org, held)).lease
    await worker.staged(lease)
    await worker.held(lease)
    await worker.claim(org, leased)
    await queue.set(leased, "next_attempt_at = now() - interval '1 h'")
    await queue.set(due, "created_at = now() - interval '100 s'")
    await reconciler().run_once()
    assert metrics.EXPORTS_PENDING._value.get() == 4
    assert metrics.EXPORTS_STUCK._value.get() == 1
    assert metrics.EXPORTS_HELD._value.get() == 1
    assert 100 <= metrics.OLDEST_PENDING._value.get() < 160


async def test_a_round_that_fails_does_not_end_the_reconciler(reconciler):
    """The database is away for one round; the next one comes."""
    replica = reconciler(every=0.001)
    rounds = []
    third = asyncio.Event()

    async def broken(_seconds):
        rounds.append(1)
        if len(rounds) == 3:
            third.set()
        raise RuntimeError("away")

    replica._offers = broken
    task = asyncio.create_task(replica.run())
    await asyncio.wait_for(third.wait(), 60)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_the_sweeper_clears_expired_keys_and_old_tests_only(queue, database):
    org, export = await queue.one()
    draft = (await queue.export(export))["draft_id"]
    await queue.sql.execute(
        """INSERT INTO push.idempotency_keys (
               org_id, draft_id, operation, key, request_sha256, export_id, expires_at)
           SELECT $1, $2, 'push', 'k' || n, sha256('x'), $3,
                  now() + CASE WHEN n <= 1200 THEN interval '-1 s' ELSE interval '1 h' END
             FROM generate_series(1, 1203) n""",
        org, draft, export,
    )  # fmt: skip
    await queue.sql.execute(
        """INSERT INTO push.connection_tests (
               org_id, id, connection_id, access, access_key_id, requested_by, requested_call,
               expires_at)
           SELECT $1, gen_random_uuid(), $1, 'x', 'k', 'ian', '{}',
                  now() - n * interval '40 min' FROM generate_series(0, 3) n""",
        org,
    )
    sweeper = Sweeper(SweepStore(database), every=60)
    assert await sweeper.run_once() == 1202
    assert await sweeper.run_once() == 0
    left = await queue.sql.fetch("SELECT key FROM push.idempotency_keys ORDER BY key")
    assert [row["key"] for row in left] == ["k1201", "k1202", "k1203"]
    assert await queue.sql.fetchval("SELECT count(*) FROM push.connection_tests") == 2
