"""Claims: fair across orgs, never the same export twice, waiting without hammering."""

import asyncio
import json
import time
from collections import Counter
from uuid import UUID, uuid4

import pytest

from countersign_push.store.work import CLAIM_NEXT, Position, Room, WorkStore

pytestmark = pytest.mark.integration


def org_of(assignment) -> UUID:
    return UUID(assignment.lease.org_id)


async def test_a_long_queue_of_one_org_takes_no_turn_from_another(queue, worker):
    """2,000 due exports here, one there: it is among the first two."""
    busy, quiet = uuid4(), uuid4()
    await queue.pending(busy, await queue.connection(busy), 2000)
    [waiting] = await queue.pending(quiet, await queue.connection(quiet))
    first = await worker.claim_next(1)
    second = await worker.claim_next(1)
    assert {org_of(a) for a in first + second} == {busy, quiet}
    assert str(waiting) in {a.lease.export_id for a in first + second}


async def test_a_batch_is_shared_evenly_among_the_orgs_that_wait(queue, worker):
    orgs = [uuid4() for _ in range(4)]
    for org in orgs:
        await queue.pending(org, await queue.connection(org), 20)
    assignments = await worker.claim_next(16)
    assert Counter(map(org_of, assignments)) == dict.fromkeys(orgs, 4)


async def test_one_org_alone_gets_the_whole_batch_oldest_first(queue, worker):
    org = uuid4()
    exports = await queue.pending(org, await queue.connection(org), 40)
    assignments = await worker.claim_next(32)
    assert [UUID(a.lease.export_id) for a in assignments] == exports[:32]


async def test_turns_go_round(queue, worker):
    """With three orgs waiting, any three claims in a row serve all three."""
    orgs = [uuid4() for _ in range(3)]
    for org in orgs:
        await queue.pending(org, await queue.connection(org), 3)
    served = [org_of((await worker.claim_next(1))[0]) for _ in range(9)]
    for start in range(7):
        assert set(served[start : start + 3]) == set(orgs)
    assert await worker.claim_next(1) == []


async def test_orgs_whose_exports_are_not_due_are_passed_over(queue, worker):
    later, held, due = uuid4(), uuid4(), uuid4()
    for org, changes in (
        (later, "next_attempt_at = now() + interval '1 h'"),
        (held, "leased_until = now() + interval '1 h'"),
    ):
        for export in await queue.pending(org, await queue.connection(org), 3):
            await queue.set(export, changes)
    await queue.pending(due, await queue.connection(due), 2)
    assert [org_of(a) for a in await worker.claim_next(10)] == [due, due]


async def test_parallel_claimers_never_share_an_export(queue, database, site):
    """32 workers at once over 200 exports of 5 orgs: each export exactly once."""
    expected = []
    for _ in range(5):
        org = uuid4()
        expected += await queue.pending(org, await queue.connection(org), 40)
    workers = [site.worker() for _ in range(32)]

    async def drain(worker):
        got = []
        while assignments := await worker.claim_next(3):
            got += [UUID(a.lease.export_id) for a in assignments]
        return got

    claimed = [e for got in await asyncio.gather(*map(drain, workers)) for e in got]
    rest = await drain(workers[0])  # what a racing claimer had locked while others looked
    assert sorted(claimed + rest) == sorted(expected)
    fences = await queue.sql.fetch("SELECT DISTINCT fence, attempt FROM push.exports")
    assert [tuple(row) for row in fences] == [(1, 1)]


async def test_32_claimers_of_one_export_give_it_to_one(queue, site):
    org, export = await queue.one()
    claims = await asyncio.gather(*(site.worker().claim(org, export) for _ in range(32)))
    assert sum(claim is not None for claim in claims) == 1
    assert (await queue.export(export))["fence"] == 1


ROUND = UUID(int=0)


async def claimed(database, most=1, **room):
    """What a worker with this room gets, from the beginning of the ring."""
    after = Position(ROUND, ROUND)
    return await WorkStore(database).claim_next("w", 30.0, after, most, Room(**room))


async def blocks_read(queue, most=1, rooms=()):
    """Pages that one claim touches."""
    values = {
        "$1": "'w'",
        "$2": "30",
        "$3": f"'{ROUND}'::uuid",
        "$4": f"'{ROUND}'::uuid",
        "$5": str(most),
        "$6": "ARRAY[{}]".format(",".join(f"'{each}'" for each in rooms)),
        "$7": "ARRAY[{}]".format(",".join("0" for _ in rooms)),
        "$8": str(most),
    }
    statement = CLAIM_NEXT
    for name, value in values.items():
        statement = statement.replace(name, value)
    async with queue.sql.transaction():
        plan = await queue.sql.fetchval("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + statement)
    top = json.loads(plan)[0]["Plan"]
    return top["Shared Hit Blocks"] + top["Shared Read Blocks"]


async def test_the_planner_probes_the_index_and_never_reads_a_whole_queue(queue, database):
    """Claiming one of 5,000 that wait at one connection touches some pages, not all."""
    org = uuid4()
    await queue.pending(org, await queue.connection(org), 5000)
    await queue.sql.execute("ANALYZE push.exports")
    assert len(await claimed(database)) == 1
    assert await blocks_read(queue) < 300


@pytest.mark.parametrize("why", ["paused", "full"])
async def test_a_long_queue_that_nobody_may_take_costs_a_probe(queue, database, why):
    """5,000 exports of a paused or full connection stand in front of two that are due."""
    first, second = sorted([uuid4(), uuid4()])
    stuck = await queue.connection(first)
    await queue.pending(first, stuck, 5000)
    free = await queue.pending(second, await queue.connection(second), 2)
    if why == "paused":
        await queue.sql.execute(
            "UPDATE push.erp_connections SET status = 'PAUSED' WHERE id = $1", stuck
        )
    await queue.sql.execute("ANALYZE push.exports")
    full = [stuck] if why == "full" else []
    assert await blocks_read(queue, rooms=full) < 300
    rows = await claimed(database, by_connection=dict.fromkeys(full, 0))
    assert [row.export.id for row in rows] == [free[1]]  # the other one was claimed above


async def test_a_worker_gets_of_each_connection_what_it_has_room_for(queue, database):
    """Two of the named connection, three of any other, though ten were asked for."""
    org, other = sorted([uuid4(), uuid4()])
    named = await queue.connection(org)
    await queue.pending(org, named, 9)
    await queue.pending(other, await queue.connection(other), 9)
    rows = await claimed(database, 10, by_connection={named: 2}, of_others=3)
    taken = Counter(row.export.org_id for row in rows)
    assert taken == {org: 2, other: 3}


async def test_two_connections_of_one_org_take_turns(queue, database):
    """A queue of 50 at one connection does not keep the other one of the org waiting."""
    org = uuid4()
    await queue.pending(org, await queue.connection(org), 50)
    other = await queue.connection(org, connector_type="OTHER_V1")
    [due] = await queue.pending(org, other)
    rows = await claimed(database, 2)
    assert due in {row.export.id for row in rows}


async def test_nothing_of_a_paused_connection_is_handed_out(queue, worker):
    """Neither to who names the export nor to who asks for any; resumed, it is."""
    org = uuid4()
    connection = await queue.connection(org)
    [export] = await queue.pending(org, connection)
    await queue.sql.execute(
        "UPDATE push.erp_connections SET status = 'PAUSED' WHERE id = $1", connection
    )
    assert await worker.claim(org, export) is None
    assert await worker.claim_next(5) == []
    await queue.sql.execute(
        "UPDATE push.erp_connections SET status = 'ACTIVE' WHERE id = $1", connection
    )
    assert await worker.claim(org, export) is not None


async def test_content_that_is_not_what_was_approved_never_leaves(queue, worker):
    """FAILED at once, on record like any failure, and the next export is handed out instead."""
    org = uuid4()
    bad, good = await queue.pending(org, await queue.connection(org), 2)
    await queue.set(bad, "content_sha256 = sha256('other')")
    [assignment] = await worker.claim_next(1)
    assert assignment.lease.export_id == str(good)
    row = await queue.export(bad)
    assert (row["status"], json.loads(row["error_json"])["code"]) == (
        "FAILED", "CONTENT_DIGEST_MISMATCH",
    )  # fmt: skip
    assert await queue.draft_status(bad) == "ERROR"
    assert [act.action for act in await queue.acts(org)] == ["DRAFT_PUSH_FAILED"]


async def test_content_that_makes_no_document_fails_at_once(queue, worker):
    org = uuid4()
    [export] = await queue.pending(org, await queue.connection(org), content={"lines": None})
    assert await worker.claim(org, export) is None
    error = json.loads((await queue.export(export))["error_json"])
    assert (error["code"], error["attempt"]) == ("BAD_DOCUMENT", 1)


async def test_a_staged_export_is_handed_out_even_if_its_document_cannot_be_built(queue, worker):
    """It only waits for a rename; failing it would leave its file out there."""
    org, export = await queue.one()
    await worker.staged((await worker.claim(org, export)).lease)
    await queue.run_out(export)
    await queue.set(export, "content_sha256 = sha256('other')")
    assignment = await worker.claim(org, export)
    assert (assignment.document, assignment.staged_name) == (b"", f".tmp.{export}.1")


async def test_more_than_fits_into_a_reply_is_given_back_uncounted(queue, worker):
    """Two documents of 10 MB: one now, the other at once with the next claim."""
    org = uuid4()
    content = {"header": {"notes": "x" * 10_000_000, "currency": "EUR"}, "lines": []}
    await queue.pending(org, await queue.connection(org), 2, content=content)
    first = await worker.claim_next(2)
    second = await worker.claim_next(2)
    assert [len(first), len(second)] == [1, 1]
    assert (second[0].attempt, second[0].lease.fence) == (1, 2)


async def test_secrets_that_do_not_open_put_the_export_off(queue, worker):
    """A replica with an old key ring must not fail what another one can deliver."""
    org, export = await queue.one()
    await queue.sql.execute(
        "UPDATE push.erp_connections SET secrets = 'x', secrets_key_id = 'lost'"
    )
    assert await worker.claim(org, export) is None
    row = await queue.export(export)
    assert (row["status"], json.loads(row["error_json"])["code"]) == (
        "PENDING", "SECRETS_UNREADABLE",
    )  # fmt: skip
    assert row["leased_until"] is None
    await queue.set(export, "attempt = 9, next_attempt_at = now()")
    assert await worker.claim(org, export) is None
    assert (await queue.export(export))["status"] == "FAILED"


async def test_a_waiting_worker_gets_what_becomes_due(queue, site_of):
    """Committed by another process: the shared poll finds it."""
    async with site_of(claim_poll_seconds=0.05) as site:
        waiting = asyncio.create_task(site.worker().claim_next(1, wait=10))
        await _occupied(site)
        _, export = await queue.one()
        [assignment] = await waiting
    assert assignment.lease.export_id == str(export)


async def test_a_wake_up_needs_no_poll(queue, site_of):
    async with site_of(claim_poll_seconds=60) as site:
        waiting = asyncio.create_task(site.worker().claim_next(1, wait=10))
        await _occupied(site)
        _, export = await queue.one()
        site.hand_out.exports_room.wake()
        [assignment] = await waiting
    assert assignment.lease.export_id == str(export)


async def test_a_released_export_goes_to_a_waiting_worker(queue, site_of):
    org, export = await queue.one()
    async with site_of(claim_poll_seconds=60) as site:
        lease = (await site.worker().claim(org, export)).lease
        waiting = asyncio.create_task(site.worker().claim_next(1, wait=10))
        await _occupied(site)
        await site.worker().release(lease)
        [assignment] = await waiting
    assert assignment.lease.fence == 2


async def test_idle_workers_share_one_poll(site_of, queue):
    """50 workers waiting for a second: one claim each, and a handful of polls."""
    async with site_of(claim_poll_seconds=0.2) as site:
        counted = Counter()
        room, work = site.hand_out.exports_room, site.hand_out.work._commands.claim_next
        count_due, claim = room._count_due, work._work.claim_next

        async def counting_poll(limit):
            counted["poll"] += 1
            return await count_due(limit)

        async def counting_claim(*args):
            counted["claim"] += 1
            return await claim(*args)

        room._count_due = counting_poll
        work._work.claim_next = counting_claim
        replies = await asyncio.gather(*(site.worker().claim_next(1, wait=1) for _ in range(50)))
    assert replies == [[]] * 50
    assert counted["claim"] == 50
    assert 2 <= counted["poll"] <= 8


async def test_a_stopping_replica_sends_waiting_workers_home(site_of, queue):
    async with site_of() as site:
        waiting = asyncio.create_task(site.worker().claim_next(1, wait=30))
        await _occupied(site)
        began = time.monotonic()
        site.hand_out.close()
        assert await waiting == []
        assert await site.worker().claim_next(1, wait=30) == []
    assert time.monotonic() - began < 5


async def test_a_worker_that_hung_up_leaves_its_seat(site_of, queue):
    async with site_of(claim_poll_seconds=60) as site:
        room = site.hand_out.exports_room
        waiting = asyncio.create_task(site.worker().claim_next(1, wait=30))
        await _occupied(site)
        left = asyncio.Event()
        room._note_occupancy = lambda: room._waiting or left.set()
        waiting.cancel()
        await asyncio.wait_for(left.wait(), 60)


async def _occupied(site) -> None:
    """A worker waits."""
    await asyncio.wait_for(site.hand_out.exports_room._occupied.wait(), 60)
