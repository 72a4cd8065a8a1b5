"""Reports over a real socket and a real PostgreSQL: the fence, lost replies, what they write."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest

from countersign.push.v1 import work_service_pb2 as pb
from countersign_core.reasons import Reason

pytestmark = pytest.mark.integration


@pytest.fixture(params=["by itself", "in a batch"])
def worker(site, request):
    """Whichever way a report comes, it means the same."""
    return site.worker(batching=request.param == "in a batch")


REPORTS = ("staged", "sent", "failed", "deferred", "held", "renew", "release")


async def test_a_claim_brings_all_that_a_delivery_needs(queue, worker):
    """Document, digests, connection, lease and trace in one reply."""
    org, export = await queue.one()
    assignment = await worker.claim(org, export)
    row = await queue.export(export)
    assert (assignment.lease.fence, assignment.attempt, row["leased_by"]) == (1, 1, "w1")
    assert assignment.lease_seconds == 30
    assert timedelta(0) < row["leased_until"] - row["next_attempt_at"] <= timedelta(seconds=31)
    document = json.loads(assignment.document)
    assert document["meta"]["export_id"] == str(export)
    assert document["meta"]["content_sha256"] == assignment.content_sha256
    assert (assignment.file_name, assignment.staged_name) == (row["file_name"], "")
    assert assignment.connection.config_json == '{"export_path":"/srv/drop","transport":"folder"}'
    assert (assignment.request_id, assignment.draft_order_id) == ("req-1", str(row["draft_id"]))
    assert not assignment.HasField("outcome_unknown_since")


async def test_a_leased_export_is_not_given_to_another(queue, worker):
    org, export = await queue.one()
    assert await worker.claim(org, export)
    assert await worker.claim(org, export) is None
    assert await worker.claim_next() == []


async def test_the_export_of_another_org_is_nothing_to_do(queue, worker):
    _, export = await queue.one()
    assert await worker.claim(uuid4(), export) is None


async def test_a_lease_that_ran_out_is_given_to_the_next_with_a_higher_fence(queue, worker):
    org, export = await queue.one()
    await worker.claim(org, export)
    await queue.run_out(export)
    second = await worker.claim(org, export)
    assert (second.lease.fence, second.attempt) == (2, 2)


@pytest.mark.parametrize("report", REPORTS)
async def test_a_stale_worker_is_refused_everywhere(queue, worker, refused, report):
    """After a newer claim, no report with the old fence changes the row."""
    org, export = await queue.one()
    stale = (await worker.claim(org, export)).lease
    await queue.run_out(export)
    await worker.claim(org, export)
    before = await queue.export(export)
    assert (await refused(getattr(worker, report)(stale))).reason is Reason.LEASE_LOST
    assert await queue.export(export) == before


@pytest.mark.parametrize("report", REPORTS)
async def test_a_stale_worker_is_refused_after_the_other_staged(queue, worker, refused, report):
    org, export = await queue.one()
    stale = (await worker.claim(org, export)).lease
    await queue.run_out(export)
    await worker.staged((await worker.claim(org, export)).lease)
    before = await queue.export(export)
    error = await refused(getattr(worker, report)(stale))
    assert error.reason is Reason.LEASE_LOST
    assert error.metadata["staged_name"] == before["staged_name"]
    assert await queue.export(export) == before


@pytest.mark.parametrize("finish", ["sent", "failed"])
@pytest.mark.parametrize("report", REPORTS)
async def test_a_stale_worker_is_refused_after_the_other_finished(
    queue, worker, refused, report, finish
):
    org, export = await queue.one()
    stale = (await worker.claim(org, export)).lease
    await queue.run_out(export)
    await getattr(worker, finish)((await worker.claim(org, export)).lease)
    before = await queue.export(export)
    assert (await refused(getattr(worker, report)(stale))).reason is Reason.LEASE_LOST
    assert await queue.export(export) == before


@pytest.mark.parametrize("given_back", ["deferred", "release"])
@pytest.mark.parametrize("late", ["staged", "sent", "failed", "renew"])
async def test_a_report_that_arrives_after_the_lease_was_given_back_changes_nothing(
    queue, worker, refused, given_back, late
):
    """A delayed STAGED after DEFERRED would put a file on record that is already deleted."""
    org, export = await queue.one()
    lease = (await worker.claim(org, export)).lease
    await getattr(worker, given_back)(lease)
    before = await queue.export(export)
    assert (await refused(getattr(worker, late)(lease))).reason is Reason.LEASE_LOST
    assert await queue.export(export) == before


@pytest.mark.parametrize("report", REPORTS)
async def test_a_report_on_an_unknown_export_is_a_lost_lease(worker, refused, report):
    lease = pb.Lease(org_id=str(uuid4()), export_id=str(uuid4()), fence=1)
    assert (await refused(getattr(worker, report)(lease))).reason is Reason.LEASE_LOST


async def test_a_lease_that_ran_out_still_belongs_to_its_holder_until_the_next_claim(queue, worker):
    org, export = await queue.one()
    lease = (await worker.claim(org, export)).lease
    await queue.run_out(export)
    await worker.staged(lease)
    await queue.run_out(export)
    await worker.sent(lease)
    assert (await queue.export(export))["status"] == "SENT"


async def test_every_report_can_be_repeated_after_a_lost_reply(queue, worker):
    """The second of two equal reports succeeds and changes nothing."""
    org, export = await queue.one()
    lease = (await worker.claim(org, export)).lease
    for report in ("renew", "deferred"):
        await getattr(worker, report)(lease)
    first = await queue.export(export)
    assert await worker.deferred(lease) == first["next_attempt_at"].replace(tzinfo=None)
    assert await queue.export(export) == first

    await queue.make_due(export)
    lease = (await worker.claim(org, export)).lease
    await worker.release(lease)
    first = await queue.export(export)
    await worker.release(lease)
    assert await queue.export(export) == first

    lease = (await worker.claim(org, export)).lease
    for report in ("staged", "held"):
        await getattr(worker, report)(lease)
        first = await queue.export(export)
        await getattr(worker, report)(lease)
        assert await queue.export(export) == first

    await queue.make_due(export)
    lease = (await worker.claim(org, export)).lease
    await worker.sent(lease)
    first = await queue.export(export)
    await worker.sent(lease)
    assert await queue.export(export) == first
    assert [act.action for act in await queue.acts(org)] == ["DRAFT_PUSH_SUCCEEDED"]


async def test_a_repeated_failed_is_accepted_once_it_is_on_record(queue, worker):
    org, export = await queue.one()
    lease = (await worker.claim(org, export)).lease
    await worker.failed(lease)
    await worker.failed(lease)
    assert [act.action for act in await queue.acts(org)] == ["DRAFT_PUSH_FAILED"]


@pytest.mark.parametrize(("first", "second"), [("sent", "failed"), ("failed", "sent")])
async def test_the_same_lease_cannot_report_another_outcome(queue, worker, refused, first, second):
    org, export = await queue.one()
    lease = (await worker.claim(org, export)).lease
    await getattr(worker, first)(lease)
    assert (await refused(getattr(worker, second)(lease))).reason is Reason.LEASE_LOST


@pytest.mark.parametrize("report", ["deferred", "held"])
async def test_a_lease_cannot_put_the_export_off_twice_for_different_reasons(
    queue, worker, refused, report
):
    org, export = await queue.one()
    lease = (await worker.claim(org, export)).lease
    await worker.staged(lease)
    await getattr(worker, report)(lease, "TIMEOUT")
    error = await refused(getattr(worker, report)(lease, "DISK_FULL"))
    assert error.reason is Reason.LEASE_LOST


async def test_held_after_deferred_is_another_outcome(queue, worker, refused):
    org, export = await queue.one()
    lease = (await worker.claim(org, export)).lease
    await worker.staged(lease)
    await worker.deferred(lease, "TIMEOUT")
    assert (await refused(worker.held(lease, "TIMEOUT"))).reason is Reason.LEASE_LOST


async def test_staged_can_be_repeated_even_after_a_newer_claim(queue, worker, refused):
    """Its file is the token: told LEASE_LOST, the worker would delete it."""
    org, export = await queue.one()
    lease = (await worker.claim(org, export)).lease
    await worker.staged(lease)
    await queue.run_out(export)
    second = await worker.claim(org, export)
    assert second.staged_name == f".tmp.{export}.1"
    await worker.staged(lease)
    await worker.sent(second.lease)
    assert (await refused(worker.staged(lease))).reason is Reason.LEASE_LOST


async def test_a_second_token_is_refused(queue, worker, refused):
    org, export = await queue.one()
    lease = (await worker.claim(org, export)).lease
    await worker.staged(lease)
    error = await refused(worker.staged(lease, "another"))
    assert error.reason is Reason.EXPORT_WRONG_STATE
    assert error.metadata["staged_name"] == f".tmp.{export}.1"


async def test_sent_moves_export_and_draft_and_is_recorded(queue, site, worker):
    org, export = await queue.one()
    lease = (await worker.claim(org, export)).lease
    await worker.staged(lease)
    await worker.sent(lease)
    row = await queue.export(export)
    assert (row["status"], row["evidence"], row["leased_until"]) == ("SENT", "RENAMED", None)
    assert row["sent_at"] == row["finished_at"]
    assert row["document_sha256"].hex() == "ab" * 32
    assert await queue.draft_status(export) == "PUSHED"
    [act] = await queue.acts(org)
    assert (act.action, act.entity_type) == ("DRAFT_PUSH_SUCCEEDED", "draft_order")
    assert act.entity_id == act.draft_order_id == str(row["draft_id"])
    assert (act.actor_user_id, act.request_id) == ("", "req-1")
    assert act.trace_id == "0af7651916cd43dd8448eb211c80319c"
    after = json.loads(act.after_json)
    assert (after["status"], after["export_status"]) == ("PUSHED", "SENT")
    assert (after["evidence"], after["erp_export_id"]) == ("RENAMED", str(export))
    assert site.relay_wakes == 1


async def test_failed_moves_export_and_draft_and_says_why(queue, worker):
    org, export = await queue.one()
    await worker.failed((await worker.claim(org, export)).lease)
    row = await queue.export(export)
    assert (row["status"], row["next_attempt_at"], row["leased_until"]) == ("FAILED", None, None)
    assert await queue.draft_status(export) == "ERROR"
    error = json.loads(row["error_json"])
    assert error["at"].endswith("Z")
    assert {**error, "at": None} == {
        "code": "DISK_FULL", "message": "It went wrong: DISK_FULL", "attempt": 1, "at": None,
    }  # fmt: skip
    [act] = await queue.acts(org)
    assert (act.action, json.loads(act.before_json)["status"]) == ("DRAFT_PUSH_FAILED", "PUSHING")
    assert json.loads(act.after_json)["error"] == {
        "code": "DISK_FULL", "message": "It went wrong: DISK_FULL", "attempt": 1,
    }  # fmt: skip


async def test_a_staged_export_fails_only_after_its_file_was_taken_back(queue, worker, refused):
    """Otherwise the ERP may have what we call failed, and a retry doubles the order."""
    org, export = await queue.one()
    lease = (await worker.claim(org, export)).lease
    await worker.staged(lease)
    error = await refused(worker.failed(lease))
    assert (error.reason, error.metadata["current"]) == (Reason.EXPORT_WRONG_STATE, "PENDING")
    assert (await queue.export(export))["status"] == "PENDING"
    await worker.failed(lease, withdrawn=True)
    assert (await queue.export(export))["status"] == "FAILED"


async def test_only_a_staged_export_can_be_held(queue, worker, refused):
    org, export = await queue.one()
    lease = (await worker.claim(org, export)).lease
    assert (await refused(worker.held(lease))).reason is Reason.EXPORT_WRONG_STATE
    assert (await queue.export(export))["outcome_unknown_since"] is None


async def test_a_held_export_stays_held_and_never_runs_out_of_attempts(queue, worker):
    org, export = await queue.one()
    lease = (await worker.claim(org, export)).lease
    await worker.staged(lease)
    await worker.held(lease)
    since = (await queue.export(export))["outcome_unknown_since"]
    assert since is not None
    await queue.set(export, "attempt = 50, next_attempt_at = now()")
    again = await worker.claim(org, export)
    assert again.attempt == 51
    assert not again.last_attempt
    assert again.outcome_unknown_since.ToDatetime() == since.replace(tzinfo=None)
    await worker.held(again.lease)
    await queue.make_due(export)
    await worker.deferred((await worker.claim(org, export)).lease)
    assert (await queue.export(export))["outcome_unknown_since"] == since


async def test_the_last_attempt_is_announced(queue, worker):
    org, export = await queue.one()
    await queue.set(export, "attempt = 8")
    assert not (await worker.claim(org, export)).last_attempt
    await queue.run_out(export)
    assert (await worker.claim(org, export)).last_attempt


async def test_a_released_lease_costs_no_attempt_and_is_due_at_once(queue, worker):
    org, export = await queue.one()
    await worker.release((await worker.claim(org, export)).lease)
    again = await worker.claim(org, export)
    assert (again.attempt, again.lease.fence) == (1, 2)


async def test_a_renewed_lease_ends_later(queue, worker):
    org, export = await queue.one()
    lease = (await worker.claim(org, export)).lease
    await queue.set(export, "leased_until = now() + interval '1 s'")
    end = await worker.renew(lease)
    row = await queue.export(export)
    assert end == row["leased_until"].replace(tzinfo=None)
    now = await queue.sql.fetchval("SELECT now()")
    assert row["leased_until"] - now > timedelta(seconds=25)


@pytest.mark.parametrize(
    ("attempt", "seconds"), [(1, 2), (2, 4), (5, 32), (9, 512), (10, 600), (2_000_000_000, 600)]
)
async def test_the_delay_doubles_up_to_the_cap_and_chance_only_shortens_it(
    queue, worker, attempt, seconds
):
    org, export = await queue.one()
    await queue.set(export, f"attempt = {attempt - 1}")
    lease = (await worker.claim(org, export)).lease
    now = await queue.sql.fetchval("SELECT clock_timestamp()")
    due = await worker.deferred(lease)
    delay = (due - now.replace(tzinfo=None)).total_seconds()
    assert seconds * 0.75 <= delay <= seconds + 0.5
    assert await worker.claim(org, export) is None


async def test_an_erp_that_asks_to_be_left_alone_is_left_alone_that_long(queue, worker):
    """Retry-After lengthens the delay and never shortens it."""
    org, export = await queue.one()
    for wish, least in ((3600, 3600), (0.1, 2 * 0.75)):
        lease = (await worker.claim(org, export)).lease
        now = await queue.sql.fetchval("SELECT clock_timestamp()")
        due = await worker.deferred(lease, "ERP_BUSY", retry_after_seconds=wish)
        assert (due - now.replace(tzinfo=None)).total_seconds() >= least - 0.5
        await queue.make_due(export)


@pytest.mark.parametrize("wish", [-1, 86_401])
async def test_a_wish_beyond_a_day_is_refused(queue, worker, refused, wish):
    org, export = await queue.one()
    lease = (await worker.claim(org, export)).lease
    error = await refused(worker.deferred(lease, "ERP_BUSY", retry_after_seconds=wish))
    assert error.reason is Reason.VALIDATION_FAILED


async def test_a_disabled_connection_finishes_what_is_under_way(queue, worker):
    org, export = await queue.one()
    await queue.sql.execute("UPDATE push.erp_connections SET status = 'DISABLED'")
    assert await worker.claim(org, export)


async def test_words_from_outside_are_made_storable(queue, worker):
    """PostgreSQL stores no NUL; a worker's message must not fail for one."""
    org, export = await queue.one()
    lease = (await worker.claim(org, export)).lease
    await worker.call(
        "ReportDeferred",
        pb.ReportDeferredRequest(
            lease=lease, error=pb.AttemptError(code="SFTP_ERROR", message="bad\x00news\x07")
        ),
    )
    error = json.loads((await queue.export(export))["error_json"])
    assert error["message"] == "bad�news�"


async def test_a_report_that_lands_on_another_replica_is_the_same(queue, site_of):
    """No replica needs to remember what another one handed out."""
    org, export = await queue.one()
    async with site_of(loops=False) as one, site_of(loops=False) as other:
        lease = (await one.worker().claim(org, export)).lease
        await other.worker().staged(lease)
        await other.worker().sent(lease)
    [act] = await queue.acts(org)
    assert act.entity_id == str((await queue.export(export))["draft_id"])
