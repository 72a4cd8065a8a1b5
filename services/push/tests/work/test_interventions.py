"""Expedite and cancel: an operator's decision beats the schedule and cannot race it."""

import asyncio
import json
from uuid import uuid4

import pytest

from countersign.push.v1 import push_service_pb2 as pb
from countersign.push.v1 import work_service_pb2 as work_pb
from countersign_core.errors import CountersignError
from countersign_core.reasons import Reason

pytestmark = pytest.mark.integration

ERROR = work_pb.AttemptError(code="UNREACHABLE", message="Nobody answers.")


@pytest.fixture
def operator(site):
    return site.operator


async def cancel(caller, export, reason="wrong customer"):
    request = pb.CancelExportRequest(erp_export_id=str(export), reason=reason)
    return (await caller.call("CancelExport", request)).export


async def staged(worker, org, export):
    """Claims and stages; the lease."""
    claimed = await worker.claim(org, export)
    request = work_pb.ReportStagedRequest(
        lease=claimed.lease, staged_name=f".{claimed.file_name}.tmp", document_sha256="ab" * 32
    )
    await worker.call("ReportStaged", request)
    return claimed.lease


async def test_an_expedited_export_is_due_now(queue, worker, operator):
    """It waited for a minute; an operator wants it now, and it is on record who."""
    org, export = await queue.one()
    claimed = await worker.claim(org, export)
    await worker.call(
        "ReportDeferred", work_pb.ReportDeferredRequest(lease=claimed.lease, error=ERROR)
    )
    await queue.set(export, "next_attempt_at = now() + interval '1 minute'")
    assert await worker.claim(org, export) is None
    request = pb.ExpediteExportRequest(erp_export_id=str(export), reason="server is back")
    for _ in range(2):
        await operator(org).call("ExpediteExport", request)
    assert await worker.claim(org, export) is not None
    acts = [act for act in await queue.acts(org) if act.action == "EXPORT_EXPEDITED"]
    assert [json.loads(act.after_json)["reason"] for act in acts] == ["server is back"]


async def test_cancel_ends_an_export_of_which_nothing_was_staged(queue, operator):
    """FAILED at once, draft ERROR, both acts on record; a second cancel changes nothing."""
    org, export = await queue.one()
    for _ in range(2):
        ended = await cancel(operator(org), export)
    assert (ended.error.code, await queue.draft_status(export)) == ("CANCELLED", "ERROR")
    assert [act.action for act in await queue.acts(org)] == [
        "EXPORT_CANCELLED",
        "DRAFT_PUSH_FAILED",
    ]


async def test_a_worker_that_writes_while_it_is_cancelled_loses_its_lease(queue, worker, operator):
    """Without STAGED on record it may not publish, so nothing reaches the ERP."""
    org, export = await queue.one()
    claimed = await worker.claim(org, export)
    await cancel(operator(org), export)
    request = work_pb.ReportStagedRequest(
        lease=claimed.lease, staged_name=".x.tmp", document_sha256="ab" * 32
    )
    with pytest.raises(CountersignError) as caught:
        await worker.call("ReportStaged", request)
    assert caught.value.reason is Reason.LEASE_LOST


async def test_a_staged_export_is_cancelled_by_taking_its_file_back(queue, worker, operator):
    """The wish is on record; the next claim is told; FAILED only with the file withdrawn."""
    org, export = await queue.one()
    lease = await staged(worker, org, export)
    await worker.call("ReportDeferred", work_pb.ReportDeferredRequest(lease=lease, error=ERROR))
    asked = await cancel(operator(org), export)
    assert asked.HasField("cancel_requested_at")
    again = await worker.claim(org, export)
    assert again.cancel_requested
    withdrawn = work_pb.ReportFailedRequest(
        lease=again.lease,
        error=work_pb.AttemptError(code="CANCELLED", message="Taken back."),
        withdrawn=True,
    )
    await worker.call("ReportFailed", withdrawn)
    assert await queue.draft_status(export) == "ERROR"


async def test_a_cancel_that_comes_too_late_changes_nothing(queue, worker, operator):
    """The ERP has the file: the worker's SENT stands."""
    org, export = await queue.one()
    lease = await staged(worker, org, export)
    await cancel(operator(org), export)
    await worker.call("ReportSent", work_pb.ReportSentRequest(lease=lease, evidence=1))
    assert await queue.draft_status(export) == "PUSHED"
    with pytest.raises(CountersignError) as caught:
        await cancel(operator(org), export)
    assert caught.value.reason is Reason.EXPORT_WRONG_STATE


async def test_cancel_and_staged_race_to_one_outcome(queue, worker, operator):
    """Whoever is first wins: FAILED and no token, or a token and the wish on record."""
    org = uuid4()
    exports = await queue.pending(org, await queue.connection(org), 20)
    for export in exports:
        claimed = await worker.claim(org, export)
        request = work_pb.ReportStagedRequest(
            lease=claimed.lease, staged_name=f".{export}.tmp", document_sha256="ab" * 32
        )
        await asyncio.gather(
            worker.call("ReportStaged", request),
            cancel(operator(org), export),
            return_exceptions=True,
        )
        row = await queue.export(export)
        assert (row["status"], row["staged_name"] is None) in {("FAILED", True), ("PENDING", False)}
        assert row["cancel_requested_at"] is not None


async def test_what_was_taken_back_is_staged_anew(queue, worker):
    """A deferral with `withdrawn` leaves no token, so the next claim begins from nothing."""
    org, export = await queue.one()
    lease = await staged(worker, org, export)
    await worker.call(
        "ReportDeferred",
        work_pb.ReportDeferredRequest(lease=lease, error=ERROR, withdrawn=True),
    )
    await queue.make_due(export)
    assert (await worker.claim(org, export)).staged_name == ""


async def test_an_unknown_export_is_not_found(site, operator):
    with pytest.raises(CountersignError) as caught:
        await cancel(operator(uuid4()), uuid4())
    assert caught.value.reason is Reason.EXPORT_NOT_FOUND
