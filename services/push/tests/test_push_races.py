"""Thirty-two callers at once: one export, one message of each kind, only documented answers."""

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from uuid import UUID

import pytest

from countersign_core.errors import CountersignError
from countersign_core.reasons import Reason
from countersign_platform.testing.servers import RedisServer
from countersign_push import bootstrap
from countersign_push.idempotency import fingerprint
from countersign_push.push_combiner import PushCombiner
from countersign_push.push_intent import Operation, PushIntent
from countersign_push.replay_cache import RedisReplayCache
from countersign_push.store.push import PUSH_MANY
from countersign_push.store.push_findings import FINDINGS

pytestmark = pytest.mark.integration

CALLERS = 32
# Drafts per race: the interleavings differ from round to round.
ROUNDS = 5


@pytest.fixture
def replicas(monkeypatch):
    """Every call reaches a replica of its own: what one combiner keeps apart meets in the database."""

    class ReplicaPerCall(PushCombiner):
        async def push(self, batch):
            return await PushCombiner(self._pushes, statements=1).push(batch)

    monkeypatch.setattr(bootstrap, "PushCombiner", ReplicaPerCall)


async def all_at_once(call):
    """Every caller's reply or refusal."""
    return await asyncio.gather(*(call() for _ in range(CALLERS)), return_exceptions=True)


async def exactly_one_push(world, client, draft, *, exports=1):
    """What one push leaves behind, however many asked for it."""
    made = await world.orders.exports(client.org_id, draft)
    assert len(made) == exports
    for lane in ("work", "audit"):
        rows = await world.orders.outbox(client.org_id, lane)
        assert len(rows) == exports
    return str(made[-1]["id"])


@pytest.mark.parametrize("round_", range(ROUNDS))
async def test_one_export_comes_of_many_pushes_without_a_key(
    replicas, world, client, approved, round_
):
    draft = await approved()
    answers = await all_at_once(lambda: client.push(draft))
    export = await exactly_one_push(world, client, draft)
    refusals = [answer for answer in answers if isinstance(answer, CountersignError)]
    assert len(refusals) == CALLERS - 1
    assert {error.reason for error in refusals} == {Reason.EXPORT_EXISTS}
    assert {error.metadata["erp_export_id"] for error in refusals} == {export}


async def many_with_one_key(world, client, draft):
    answers = await all_at_once(lambda: client.push(draft, "one-key"))
    export = await exactly_one_push(world, client, draft)
    assert {answer.erp_export_id for answer in answers} == {export}
    assert Counter(answer.replayed for answer in answers) == {False: 1, True: CALLERS - 1}
    assert len(await world.orders.keys(client.org_id)) == 1


@pytest.mark.parametrize("round_", range(ROUNDS))
async def test_one_export_comes_of_many_pushes_with_one_key(
    replicas, world, client, approved, round_
):
    """One caller made it; for the others it is a replay of the very same export."""
    await many_with_one_key(world, client, await approved())


async def test_one_export_comes_of_many_pushes_with_redis(replicas, world, approved, client, redis):
    draft = await approved()
    async with redis_at(world, redis.url):
        await many_with_one_key(world, world.client(client.org_id), draft)


async def test_one_export_comes_of_many_pushes_with_redis_stopped(
    replicas, world, approved, client
):
    draft = await approved()
    with RedisServer() as stopped:
        url = stopped.url
    async with redis_at(world, url):
        await many_with_one_key(world, world.client(client.org_id), draft)


@pytest.mark.parametrize("round_", range(ROUNDS))
async def test_one_export_comes_of_many_retries(replicas, world, client, approved, round_):
    draft = await approved()
    before = UUID((await client.push(draft)).erp_export_id)
    await world.orders.failed(client.org_id, before)
    answers = await all_at_once(lambda: client.retry(draft, reason="again"))
    export = await exactly_one_push(world, client, draft, exports=2)
    refusals = [answer for answer in answers if isinstance(answer, CountersignError)]
    assert len(refusals) == CALLERS - 1
    assert {error.reason for error in refusals} == {Reason.EXPORT_EXISTS}
    assert {error.metadata["erp_export_id"] for error in refusals} == {export}


async def test_one_export_comes_of_many_retries_with_one_key(replicas, world, client, approved):
    draft = await approved()
    before = UUID((await client.push(draft)).erp_export_id)
    await world.orders.failed(client.org_id, before)
    answers = await all_at_once(lambda: client.retry(draft, "one-key"))
    export = await exactly_one_push(world, client, draft, exports=2)
    assert {answer.erp_export_id for answer in answers} == {export}
    assert sum(not answer.replayed for answer in answers) == 1


async def test_pushes_that_find_each_other_in_mid_statement_still_make_one_export(
    replicas, world, client, approved
):
    """The draft is held by a lock while all statements begin: every snapshot is the same."""
    draft = await approved()
    async with world.orders.sql.transaction():
        await world.orders.sql.execute(
            "SELECT FROM approval.draft_orders WHERE id = $1 FOR UPDATE", draft
        )
        waiting = asyncio.ensure_future(all_at_once(lambda: client.push(draft, "one-key")))
        await blocked_on_a_lock(world, 10)
    answers = await waiting
    export = await exactly_one_push(world, client, draft)
    assert {answer.erp_export_id for answer in answers} == {export}


async def test_a_key_that_comes_while_the_statement_waits_undoes_the_statement(
    replicas, world, client, approved
):
    """A late statement must not make a second export.

    Between its snapshot and its turn the draft was pushed, failed and approved again, all under
    the same key.
    """
    draft = await approved()
    async with world.orders.sql.transaction():
        await world.orders.sql.execute(
            "SELECT FROM approval.draft_orders WHERE id = $1 FOR UPDATE", draft
        )
        late = asyncio.ensure_future(client.push(draft, "one-key"))
        await blocked_on_a_lock(world, 1)
        first = await push_fail_and_reapprove(world, client, draft)
    answer = await late
    assert (answer.erp_export_id, answer.replayed) == (str(first), True)
    assert len(await world.orders.exports(client.org_id, draft)) == 1
    assert (await world.orders.draft(client.org_id, draft))["status"] == "APPROVED"


async def test_a_retry_that_waited_follows_the_newest_failure(replicas, world, client, approved):
    """While it waited, the export that it meant to follow was retried and failed again."""
    draft = await approved()
    first = UUID((await client.push(draft)).erp_export_id)
    await world.orders.failed(client.org_id, first)
    async with world.orders.sql.transaction():
        await world.orders.sql.execute(
            "SELECT FROM approval.draft_orders WHERE id = $1 FOR UPDATE", draft
        )
        late = asyncio.ensure_future(client.retry(draft))
        await blocked_on_a_lock(world, 1)
        second = await failed_export(world, draft, retry_of=first)
    newest = (await late).erp_export_id
    exports = await world.orders.exports(client.org_id, draft)
    assert {export["id"]: export["retry_of"] for export in exports} == {
        first: None,
        second: first,
        UUID(newest): second,
    }


async def test_batches_that_overlap_make_one_export_per_draft(replicas, world, client, approved):
    """Whatever order the callers name the drafts in, nobody deadlocks."""
    drafts = [await approved() for _ in range(20)]
    batches = [drafts, drafts[::-1], drafts[10:] + drafts[:10], drafts[::-1]]
    replies = await asyncio.gather(*(client.batch(*batch) for batch in batches))
    pushed = Counter(
        result.draft_order_id
        for results in replies
        for result in results
        if result.WhichOneof("outcome") == "pushed"
    )
    assert pushed == {str(draft): 1 for draft in drafts}
    assert len(await world.orders.outbox(client.org_id, "work")) == len(drafts)


async def test_batches_lock_their_drafts_in_one_order(
    replicas, world, client, approved, monkeypatch
):
    """Two batches that name the drafts from opposite ends wait for each other in a line.

    Were they to lock in the caller's order, the middle draft, held here, would make each wait
    for a draft of the other; the deadlock's victim would start again, draft by draft.
    """
    drafts = sorted([await approved() for _ in range(9)])
    statements = []
    fetch = world.database.fetch

    async def counted(sql, *args):
        statements.append(sql)
        return await fetch(sql, *args)

    monkeypatch.setattr(world.database, "fetch", counted)
    async with world.orders.sql.transaction():
        await world.orders.sql.execute(
            "SELECT FROM approval.draft_orders WHERE id = $1 FOR UPDATE", drafts[4]
        )
        batches = [asyncio.ensure_future(client.batch(*drafts[::step])) for step in (1, -1)]
        await blocked_on_a_lock(world, 2)
    await asyncio.gather(*batches)
    assert sorted(statements) == sorted([PUSH_MANY, PUSH_MANY, FINDINGS])


async def blocked_on_a_lock(world, count):
    """Returns when that many statements of the service wait for a lock."""
    sql = """SELECT count(*) FROM pg_stat_activity
              WHERE application_name = 'push-tests' AND wait_event_type = 'Lock'"""
    async with asyncio.timeout(60):
        while await world.orders.sql.fetchval(sql) < count:
            # Within one transaction pg_stat_activity would go on showing what it showed first.
            await world.orders.sql.execute("SELECT pg_stat_clear_snapshot()")
            await asyncio.sleep(0.01)


async def push_fail_and_reapprove(world, client, draft):
    """What a push with the key, its failure and a new approval leave, in the open transaction."""
    export = await failed_export(world, draft)
    await world.orders.sql.execute(
        "INSERT INTO push.idempotency_keys VALUES "
        "($1, $2, 'push', 'one-key', $3, $4, now(), now() + interval '1 day')",
        client.org_id, draft, fingerprint(Operation.PUSH, PushIntent(draft)), export,
    )  # fmt: skip
    return export


async def failed_export(world, draft, retry_of=None):
    """A FAILED export of the draft."""
    return await world.orders.sql.fetchval(
        """INSERT INTO push.exports (org_id, id, draft_id, connection_id, status, next_attempt_at,
                  error_json, org_slug, content_version, content_sha256, approved_at, file_name,
                  created_by, request_id, retry_of)
           SELECT d.org_id, gen_random_uuid(), d.id, c.id, 'FAILED', NULL, '{"code": "X"}', 'acme',
                  d.content_version, d.content_sha256, d.approved_at, 'f', 'olga', 'r', $2
             FROM approval.draft_orders d JOIN push.erp_connections c USING (org_id)
            WHERE d.id = $1 RETURNING id""",
        draft, retry_of,
    )  # fmt: skip


@asynccontextmanager
async def redis_at(world, url):
    """The world's service with Redis at `url`, for a while."""
    await world.stop()
    world.replays = RedisReplayCache.connect(url, timeout_seconds=0.05)
    await world.start()
    yield
    await world.replays.close()
