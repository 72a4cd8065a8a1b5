"""The ERP's answers, in every state an export can be in when they arrive."""

import asyncio
import json
from uuid import uuid4

import pytest

from countersign.push.v1 import export_pb2
from countersign.push.v1 import work_service_pb2 as pb
from countersign_core.lifecycle import ExportStatus
from countersign_core.reasons import Reason
from countersign_push.store.acks import AckStore

pytestmark = pytest.mark.integration

ACKED, FAILED = export_pb2.EXPORT_STATUS_ACKED, export_pb2.EXPORT_STATUS_FAILED
REFUSAL = pb.AttemptError(code="UNKNOWN_SKU", message="A-1 is not known")


@pytest.fixture
def ack(queue, worker):
    """Reports the ERP's answer to an export's file."""
    one_at_a_time = asyncio.Lock()  # the owner's connection is one

    async def report(export, **answer):
        async with one_at_a_time:
            row = await queue.export(export)
        request = {
            "org_id": str(row["org_id"]),
            "erp_connection_id": str(row["connection_id"]),
            "file_name": row["file_name"],
            **answer,
        }
        reply = await worker.call("ReportAck", pb.ReportAckRequest(**request))
        return reply.status

    return report


@pytest.fixture
async def staged(queue, worker):
    """(org, export, lease) of an export whose file is staged."""
    org, export = await queue.one()
    lease = (await worker.claim(org, export)).lease
    await worker.staged(lease)
    return org, export, lease


@pytest.fixture
async def sent(staged, worker):
    """(org, export, lease) of an export that was delivered."""
    await worker.sent(staged[2])
    return staged


async def actions(queue, org):
    return [act.action for act in await queue.acts(org)]


async def test_an_accepted_file_is_acked(queue, ack, sent):
    org, export, _ = sent
    assert await ack(export, accepted=True, erp_order_id="SO-7") == ACKED
    row = await queue.export(export)
    assert (row["status"], row["erp_order_id"]) == ("ACKED", "SO-7")
    assert row["acked_at"] is not None
    assert await queue.draft_status(export) == "PUSHED"
    act = (await queue.acts(org))[-1]
    assert (act.action, act.entity_type, act.entity_id) == (
        "EXPORT_ACKED",
        "erp_export",
        str(export),
    )
    assert act.draft_order_id == str(row["draft_id"])
    assert json.loads(act.after_json)["erp_order_id"] == "SO-7"


async def test_a_refused_file_fails_export_and_draft(queue, ack, sent):
    org, export, _ = sent
    assert await ack(export, accepted=False, error=REFUSAL) == FAILED
    row = await queue.export(export)
    assert (row["status"], json.loads(row["error_json"])["code"]) == ("FAILED", "UNKNOWN_SKU")
    assert row["sent_at"] is not None
    assert await queue.draft_status(export) == "ERROR"
    act = (await queue.acts(org))[-1]
    assert (act.action, json.loads(act.before_json)["status"]) == ("DRAFT_PUSH_FAILED", "PUSHED")


async def test_an_ack_that_overtakes_the_worker_delivers_and_acks(
    queue, ack, staged, worker, refused
):
    """PENDING → SENT → ACKED; the worker finds its lease lost."""
    org, export, lease = staged
    assert await ack(export, accepted=True, erp_order_id="SO-7") == ACKED
    row = await queue.export(export)
    assert (row["status"], row["evidence"], row["fence"]) == ("ACKED", "ACKED", lease.fence + 1)
    assert await queue.draft_status(export) == "PUSHED"
    assert await actions(queue, org) == ["DRAFT_PUSH_SUCCEEDED", "EXPORT_ACKED"]
    assert (await refused(worker.sent(lease))).reason is Reason.LEASE_LOST


async def test_a_refusal_that_overtakes_the_worker_fails_what_was_delivered(
    queue, ack, staged, worker, refused
):
    org, export, lease = staged
    assert await ack(export, accepted=False, error=REFUSAL) == FAILED
    row = await queue.export(export)
    assert (row["status"], row["evidence"], row["fence"]) == ("FAILED", "ACKED", lease.fence + 1)
    assert await queue.draft_status(export) == "ERROR"
    assert await actions(queue, org) == ["DRAFT_PUSH_FAILED"]
    assert (await refused(worker.sent(lease))).reason is Reason.LEASE_LOST


async def test_a_refusal_between_which_the_worker_reports_tells_what_it_moved_from(
    queue, ack, staged, worker, monkeypatch
):
    """It saw the export PENDING; when it moved the draft, that was PUSHED."""
    org, export, lease = staged
    find = AckStore.find

    async def find_then_sent(*asked):
        found = await find(*asked)
        if found.status is ExportStatus.PENDING:
            await worker.sent(lease)
        return found

    monkeypatch.setattr(AckStore, "find", find_then_sent)
    assert await ack(export, error=REFUSAL) == FAILED
    moves = [
        (json.loads(act.before_json)["status"], json.loads(act.after_json)["status"])
        for act in await queue.acts(org)
        if act.action in {"DRAFT_PUSH_SUCCEEDED", "DRAFT_PUSH_FAILED"}
    ]
    assert moves == [("PUSHING", "PUSHED"), ("PUSHED", "ERROR")]


async def test_an_ack_settles_a_held_export(queue, ack, staged, worker):
    _, export, lease = staged
    await worker.held(lease)
    assert await ack(export, accepted=True) == ACKED
    assert (await queue.export(export))["outcome_unknown_since"] is None


async def test_a_late_failed_after_the_erp_refused_is_a_lost_lease(ack, sent, worker, refused):
    """FAILED is on record, but it is the ERP's word and not this worker's."""
    _, export, lease = sent
    await ack(export, accepted=False)
    assert (await refused(worker.failed(lease, withdrawn=True))).reason is Reason.LEASE_LOST


async def test_an_ack_after_a_crash_between_its_steps_goes_on(queue, ack, sent):
    """The first step alone leaves SENT; the same answer finishes the way."""
    org, export, _ = sent
    assert await ack(export, accepted=True) == ACKED
    assert await actions(queue, org) == ["DRAFT_PUSH_SUCCEEDED", "EXPORT_ACKED"]


async def test_the_answer_to_a_file_that_was_never_staged_is_refused(queue, ack, refused):
    _, export = await queue.one()
    for accepted in (True, False):
        error = await refused(ack(export, accepted=accepted))
        assert error.reason is Reason.EXPORT_WRONG_STATE
        assert error.metadata["current"] == "PENDING"
    assert (await queue.export(export))["status"] == "PENDING"


@pytest.mark.parametrize(
    "answer", [{"accepted": True, "erp_order_id": "SO-7"}, {"accepted": False}]
)
async def test_the_same_answer_again_changes_nothing(queue, ack, sent, answer):
    org, export, _ = sent
    first = await ack(export, **answer)
    before, acts = await queue.export(export), await actions(queue, org)
    assert await ack(export, **answer) == first
    assert (await queue.export(export), await actions(queue, org)) == (before, acts)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"accepted": True, "erp_order_id": "SO-7"}, {"accepted": False}),
        ({"accepted": True, "erp_order_id": "SO-7"}, {"accepted": True, "erp_order_id": "SO-8"}),
        ({"accepted": False}, {"accepted": True, "erp_order_id": "SO-7"}),
    ],
)
async def test_another_answer_is_refused(queue, ack, sent, refused, first, second):
    _, export, _ = sent
    await ack(export, **first)
    before = await queue.export(export)
    assert (await refused(ack(export, **second))).reason is Reason.EXPORT_WRONG_STATE
    assert await queue.export(export) == before


@pytest.mark.parametrize("accepted", [True, False])
async def test_the_answer_to_an_export_that_failed_on_the_way_is_refused(
    queue, worker, ack, staged, refused, accepted
):
    _, export, lease = staged
    await worker.failed(lease, withdrawn=True)
    error = await refused(ack(export, accepted=accepted))
    assert (error.reason, error.metadata["current"]) == (Reason.EXPORT_WRONG_STATE, "FAILED")


@pytest.mark.parametrize("wrong", ["org_id", "erp_connection_id", "file_name"])
async def test_the_answer_to_an_unknown_file_is_not_found(ack, sent, refused, wrong):
    _, export, _ = sent
    error = await refused(ack(export, accepted=True, **{wrong: str(uuid4())}))
    assert error.reason is Reason.EXPORT_NOT_FOUND


ACKS = {"transport": "folder", "export_path": "/srv/drop", "ack_path": "/srv/acks"}


@pytest.mark.parametrize(
    ("other", "is_found"),
    [
        (ACKS, True),
        (ACKS | {"export_path": "/srv/elsewhere"}, True),
        (ACKS | {"ack_path": "/srv/other-acks"}, False),
        (ACKS | {"transport": "sftp", "host": "erp"}, False),
    ],
    ids=["same place", "same place for answers", "another place", "another server"],
)
async def test_connections_that_share_a_place_for_answers_answer_for_each_other(
    queue, ack, sent, refused, other, is_found
):
    """One that was disabled and its successor both look there; who finds a file is chance."""
    org, export, _ = sent
    own = (await queue.export(export))["connection_id"]
    await queue.sql.execute(
        "UPDATE push.erp_connections SET config = $2, status = 'DISABLED' WHERE id = $1",
        own, json.dumps(ACKS),
    )  # fmt: skip
    finder = await queue.connection(org)
    await queue.sql.execute(
        "UPDATE push.erp_connections SET config = $2 WHERE id = $1", finder, json.dumps(other)
    )
    answer = ack(export, accepted=True, erp_connection_id=str(finder))
    if is_found:
        assert await answer == ACKED
    else:
        assert (await refused(answer)).reason is Reason.EXPORT_NOT_FOUND


async def test_concurrent_acks_and_the_workers_report_end_in_one_story(queue, ack, staged, worker):
    """Whoever is first: SENT once, ACKED once, one event each."""
    org, export, lease = staged
    calls = [ack(export, accepted=True, erp_order_id="SO-7") for _ in range(8)]
    reports = asyncio.gather(worker.sent(lease), return_exceptions=True)
    assert await asyncio.gather(*calls) == [ACKED] * 8
    await reports  # in time or too late: both are right
    assert (await queue.export(export))["status"] == "ACKED"
    assert await actions(queue, org) == ["DRAFT_PUSH_SUCCEEDED", "EXPORT_ACKED"]
