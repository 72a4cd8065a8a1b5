"""Reports that come together: each is carried out as by its own call, and none harms another."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from countersign.push.v1 import work_service_pb2 as pb
from countersign_core.reasons import Reason
from countersign_platform.database.pool import Database
from countersign_platform.shared_calls import AskApart
from countersign_push.act import Act
from countersign_push.lease import Lease
from countersign_push.servicers import batch_report
from countersign_push.store.reports_together import (
    SENT_TOGETHER,
    STAGED_TOGETHER,
    Sent,
    Staged,
    TogetherStore,
)

pytestmark = pytest.mark.integration

DIGEST = "ab" * 32


def staged(lease, name=None):
    name = name or f".tmp.{lease.export_id}.{lease.fence}"
    report = pb.ReportStagedRequest(lease=lease, staged_name=name, document_sha256=DIGEST)
    return pb.BatchReportItem(staged=report)


def sent(lease):
    return pb.BatchReportItem(sent=pb.ReportSentRequest(lease=lease, evidence=1))


def failed(lease):
    error = pb.AttemptError(code="DISK_FULL", message="full")
    return pb.BatchReportItem(failed=pb.ReportFailedRequest(lease=lease, error=error))


def deferred(lease):
    error = pb.AttemptError(code="TIMEOUT", message="slow")
    return pb.BatchReportItem(deferred=pb.ReportDeferredRequest(lease=lease, error=error))


def held(lease):
    error = pb.AttemptError(code="UNREACHABLE", message="away")
    return pb.BatchReportItem(held=pb.ReportHeldRequest(lease=lease, error=error))


@pytest.fixture
def worker(site: Any) -> Any:
    """A worker that reports in batches."""
    return site.worker(batching=True)


@pytest.fixture
def leases(queue: Any, worker: Any) -> Any:
    """So many exports, each of an org of its own, and their leases."""

    async def make(count: int) -> list[pb.Lease]:
        made = []
        for _ in range(count):
            org, export = await queue.one()
            made.append((await worker.claim(org, export)).lease)
        return made

    return make


def reasons(answers):
    return [None if error is None else error.reason for error in answers]


async def test_every_kind_of_report_has_its_effect_and_an_answer_in_order(queue, worker, leases):
    """Orders of five orgs, each on its own way."""
    five = await leases(5)
    first = await worker.batch(staged(five[0]), staged(five[1]), staged(five[4]))
    assert reasons(first) == [None, None, None]
    answers = await worker.batch(
        sent(five[0]), held(five[1]), failed(five[2]), deferred(five[3]), staged(five[4])
    )
    assert reasons(answers) == [None] * 5
    rows = [await queue.export(each.export_id) for each in five]
    assert [row["status"] for row in rows] == ["SENT", "PENDING", "FAILED", "PENDING", "PENDING"]
    assert rows[1]["outcome_unknown_since"] is not None
    assert rows[3]["error_json"] is not None
    assert await queue.draft_status(five[0].export_id) == "PUSHED"
    assert [act.action for act in await queue.acts(five[0].org_id)] == ["DRAFT_PUSH_SUCCEEDED"]
    assert [act.action for act in await queue.acts(five[2].org_id)] == ["DRAFT_PUSH_FAILED"]


async def test_refused_and_unknown_reports_leave_the_others_alone(queue, worker, leases):
    """One fenced off, one unknown, one of a second token; the rest is on record."""
    stale, second, good, better = await leases(4)
    await queue.run_out(stale.export_id)
    await worker.claim(stale.org_id, stale.export_id)
    await worker.staged(second)
    unknown = pb.Lease(org_id=good.org_id, export_id=stale.export_id, fence=1)
    answers = await worker.batch(
        staged(stale), staged(good), staged(unknown), staged(second, "another"), staged(better)
    )
    assert reasons(answers) == [
        Reason.LEASE_LOST, None, Reason.LEASE_LOST, Reason.EXPORT_WRONG_STATE, None,
    ]  # fmt: skip
    assert (await queue.export(good.export_id))["staged_fence"] == 1
    assert (await queue.export(better.export_id))["staged_fence"] == 1
    assert (await queue.export(stale.export_id))["staged_name"] is None

    answers = await worker.batch(sent(stale), sent(good), sent(unknown), sent(better))
    assert reasons(answers) == [Reason.LEASE_LOST, None, Reason.LEASE_LOST, None]
    assert (await queue.export(stale.export_id))["status"] == "PENDING"


async def test_a_batch_may_be_repeated_after_a_lost_reply(queue, worker, leases):
    """The second changes nothing and is answered as the first."""
    three = await leases(3)
    for kind in (staged, sent):
        batch = [kind(each) for each in three]
        assert reasons(await worker.batch(*batch)) == [None] * 3
        before = [await queue.export(each.export_id) for each in three]
        assert reasons(await worker.batch(*batch)) == [None] * 3
        assert [await queue.export(each.export_id) for each in three] == before
    for each in three:
        assert len(await queue.acts(each.org_id)) == 1


async def test_two_different_tokens_of_one_lease_are_one_token(queue, worker, leases):
    """Even in the same batch."""
    [lease] = await leases(1)
    answers = await worker.batch(staged(lease, "one"), staged(lease, "two"))
    assert reasons(answers) == [None, Reason.EXPORT_WRONG_STATE]
    assert (await queue.export(lease.export_id))["staged_name"] == "one"


@pytest.mark.parametrize("kind", [staged, sent])
async def test_a_locked_export_holds_up_itself_only(
    queue, worker, leases, databases: Any, monkeypatch: Any, kind: Any
) -> None:
    """The others are on record while it waits; and it is, once the lock is gone."""
    monkeypatch.setattr(batch_report, "_LONGER_SECONDS", 3.0)  # on a busy machine, too
    locked, *others = await leases(3)
    locker = await asyncpg.connect(databases.owner_url)
    async with locker.transaction():
        await locker.execute("SELECT FROM push.exports WHERE id = $1 FOR UPDATE", locked.export_id)
        answers = await worker.batch(kind(locked), *(kind(each) for each in others))
        assert reasons(answers) == [Reason.UNAVAILABLE, None, None]
    await locker.close()
    assert reasons(await worker.batch(kind(locked))) == [None]
    row = await queue.export(locked.export_id)
    assert row["staged_fence"] == 1 if kind is staged else row["status"] == "SENT"


async def test_a_malformed_report_is_refused_with_its_batch_and_nothing_happens(
    queue, worker, refused, leases
):
    """The worker then reports each by itself."""
    [lease] = await leases(1)
    error = await refused(worker.batch(staged(lease), staged(lease, "x" * 401)))
    assert error.reason is Reason.VALIDATION_FAILED
    assert (await queue.export(lease.export_id))["staged_name"] is None


async def test_a_statement_that_breaks_over_one_report_happens_for_none(
    queue, leases, database: Database
) -> None:
    """Its reports are then made each by itself."""
    taken, other = [_lease(each) for each in await leases(2)]
    act = Act(taken.export_id, b"event", {"x-request-id": "r"})
    await queue.sql.execute(
        "INSERT INTO push.outbox (org_id, id, lane, payload) VALUES ($1, $2, 'audit', '')",
        taken.org_id, act.id,
    )  # fmt: skip
    store = TogetherStore(database)
    with pytest.raises(AskApart):
        await store.sent(
            [Sent(taken, "RENAMED", act), Sent(other, "RENAMED", Act(other.export_id, b"event"))]
        )
    assert (await queue.export(other.export_id))["status"] == "PENDING"


async def test_one_statement_answers_for_each_of_its_reports(leases, database: Database) -> None:
    """What it changed, what it did not, and what it did not take along."""
    one, two = [_lease(each) for each in await leases(2)]
    stale = Lease(two.org_id, two.export_id, 7)
    store = TogetherStore(database)
    digest = bytes.fromhex(DIGEST)
    answers = await store.staged(
        [Staged(one, "a", digest), Staged(stale, "b", digest), Staged(one, "c", digest)]
    )
    assert answers[:2] == [True, False]
    assert isinstance(answers[2], AskApart)


async def test_the_plans_of_its_statements_are_kept(leases, databases: Any) -> None:
    """Planning them anew takes longer than running them; see decision 0046."""
    strangers = [replace(_lease(each), fence=7) for each in await leases(2)]
    digest, act = bytes.fromhex(DIGEST), Act(uuid4(), b"event")
    one_connection = await Database.connect(databases.url_for("push"), "test", pool_size=1)
    store = TogetherStore(one_connection)
    for _ in range(8):
        await store.staged([Staged(each, "a", digest) for each in strangers])
        await store.sent([Sent(each, "RENAMED", act) for each in strangers])
    for statement in (STAGED_TOGETHER, SENT_TOGETHER):
        kept = await one_connection.fetchval(
            "SELECT generic_plans FROM pg_prepared_statements WHERE statement = $1", statement
        )
        assert kept == 3
    await one_connection.close()


async def test_many_reports_at_once_meet_no_deadlock(queue, site, leases):
    """Two replicas' worth of batches over the same exports, in opposite orders."""
    eight = await leases(8)
    workers = [site.worker(batching=True) for _ in range(4)]
    for kind in (staged, sent):
        batches = [[kind(each) for each in eight], [kind(each) for each in reversed(eight)]]
        answers = await asyncio.gather(
            *(worker.batch(*batches[n % 2]) for n, worker in enumerate(workers))
        )
        assert all(reasons(each) == [None] * 8 for each in answers)
    for each in eight:
        assert len(await queue.acts(each.org_id)) == 1


def _lease(message: pb.Lease) -> Lease:
    return Lease(UUID(message.org_id), UUID(message.export_id), message.fence)
