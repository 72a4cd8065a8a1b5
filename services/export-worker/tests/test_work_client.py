"""Every call of push over a real socket: what arrives, and what a refusal becomes."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from dataclasses import replace
from pathlib import Path
from types import NoneType
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from countersign_core.errors import CountersignError
from countersign_core.lifecycle import ExportStatus
from countersign_core.reasons import Reason
from countersign_export_worker.assignment import Assignment
from countersign_export_worker.delivery_context import delivery_context
from countersign_export_worker.errors import LeaseLost, WorkRefused, WorkUnavailable
from countersign_export_worker.file_names import DropName
from countersign_export_worker.ports import AckFile, AttemptError, Evidence
from countersign_export_worker.testing.samples import (
    CONNECTION,
    EXPORT,
    ORG,
    connection_to,
    export_record,
)
from countersign_export_worker.work_client import WorkClient
from countersign_platform.auth.service_token import ServiceToken
from countersign_platform.rpc.channel import open_channel

ERROR = AttemptError("DISK_FULL", "The disk is full.")
CONNECTION_TO = replace(connection_to(Path("/dropzone")), secrets={"password": "hush"}, version=3)
RECORD = replace(
    export_record(CONNECTION_TO),
    traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
)


@pytest_asyncio.fixture(loop_scope="session")
async def client(bench: Any) -> AsyncIterator[WorkClient]:
    """A client of the bench's push, with one export waiting there."""
    bench.twin.add(RECORD)
    channel = open_channel(bench.target, token=ServiceToken(bench.token_file).value)
    yield WorkClient(channel, "worker-1")
    await channel.close()


async def test_assignment_arrives_whole(client: WorkClient, bench: Any) -> None:
    """Bytes, digests, connection and secrets are those that push gave out."""
    assignment = await client.claim_export(ORG, EXPORT)
    bench.twin.exports[EXPORT] = RECORD
    assert assignment == await bench.twin.claim_export(ORG, EXPORT)
    assert assignment.connection.secrets == {"password": "hush"}
    assert "hush" not in repr(assignment)


async def test_nothing_to_do_is_no_error(client: WorkClient) -> None:
    """Leased to another, of another org, or unknown: None."""
    assert await client.claim_export(ORG, uuid4()) is None
    assert await client.claim_export(uuid4(), EXPORT) is None
    assert await client.claim_export(ORG, EXPORT) is not None
    assert await client.claim_export(ORG, EXPORT) is None
    assert await client.claim_next(4, 0.05) == []
    assert await client.claim_connection_test(0.05) is None


async def test_reports_move_the_export_and_repeats_change_nothing(
    client: WorkClient, bench: Any
) -> None:
    """Staged, then sent; each once more, as after a lost reply."""
    [assignment] = await client.claim_next(4, 0)
    lease = assignment.lease
    for _ in range(2):
        await client.renew_lease(lease)
        await client.report_staged(lease, "the token", assignment.document_sha256)
    for _ in range(2):
        await client.report_sent(lease, Evidence.FOUND)
    export = bench.twin.exports[EXPORT]
    assert (export.status, export.evidence) == (ExportStatus.SENT, Evidence.FOUND)
    assert export.staged_name == "the token"


async def test_releasing_costs_no_attempt(client: WorkClient, bench: Any) -> None:
    """The export is due at once."""
    [assignment] = await client.claim_next(1, 0)
    await client.release_lease(assignment.lease)
    assert bench.twin.exports[EXPORT].attempt == 0
    assert len(await client.claim_next(1, 0)) == 1


async def test_held_and_deferred_reach_the_record(client: WorkClient, bench: Any) -> None:
    """With the error's code and words."""
    [assignment] = await client.claim_next(1, 0)
    wish = replace(ERROR, retry_after_seconds=7.5)
    await client.report_deferred(assignment.lease, wish)
    assert bench.twin.exports[EXPORT].error == wish
    [assignment] = await client.claim_next(1, 0)
    await client.report_staged(assignment.lease, "the token", assignment.document_sha256)
    await client.report_held(assignment.lease, ERROR)
    assert bench.twin.exports[EXPORT].held


async def test_words_of_a_connector_never_keep_a_failure_off_the_record(
    client: WorkClient, bench: Any
) -> None:
    """A code that is none becomes INTERNAL; a long message is cut; an empty one filled."""
    [assignment] = await client.claim_next(1, 0)
    await client.report_failed(
        assignment.lease, AttemptError("not a code", "x" * 5000), withdrawn=False
    )
    assert bench.twin.exports[EXPORT].error == AttemptError("INTERNAL", "x" * 1000)
    bench.twin.exports[EXPORT] = RECORD
    [assignment] = await client.claim_next(1, 0)
    await client.report_failed(assignment.lease, AttemptError("ODD", ""), withdrawn=False)
    assert bench.twin.exports[EXPORT].error == AttemptError("ODD", "ODD")


async def test_lost_lease_is_lease_lost(client: WorkClient, bench: Any) -> None:
    """Whatever is reported under it."""
    [assignment] = await client.claim_next(1, 0)
    bench.twin.run_out(EXPORT)
    await client.claim_next(1, 0)
    lease = assignment.lease
    for call in (
        client.renew_lease(lease),
        client.report_staged(lease, "a token", assignment.document_sha256),
        client.report_sent(lease, Evidence.RENAMED),
        client.report_failed(lease, ERROR, withdrawn=False),
        client.report_deferred(lease, ERROR),
    ):
        with pytest.raises(LeaseLost):
            await call
    assert client.reachable is True


async def _claimed(client: WorkClient, bench: Any, count: int) -> list[Assignment]:
    for number in range(1, count):
        bench.twin.add(export_record(CONNECTION_TO, number))
    return list(await client.claim_next(count, 0))


def _staged(client: WorkClient, claimed: Assignment) -> Coroutine[Any, Any, None]:
    return client.report_staged(claimed.lease, "a token", claimed.document_sha256)


def _on_record(bench: Any) -> list[str]:
    return [each.staged_name for each in bench.twin.exports.values()]


async def test_reports_that_wait_together_travel_together(client: WorkClient, bench: Any) -> None:
    """A fenced-off one is its own delivery's affair."""
    claimed = await _claimed(client, bench, 5)
    bench.twin.run_out(claimed[2].lease.export_id)
    await client.claim_next(1, 0)
    answers = await asyncio.gather(
        *(_staged(client, each) for each in claimed[:4]),
        client.report_deferred(claimed[4].lease, ERROR),
        return_exceptions=True,
    )
    assert [type(each) for each in answers] == [NoneType, NoneType, LeaseLost, NoneType, NoneType]
    assert bench.server.servicer.calls["BatchReport"] == 1
    assert _on_record(bench) == ["a token", "a token", "", "a token", ""]


async def test_a_report_alone_is_a_call_of_its_own_with_its_trace(
    client: WorkClient, bench: Any
) -> None:
    """Nothing is lost of what one delivery carries along."""
    [claimed] = await client.claim_next(1, 0)
    with delivery_context(claimed):
        await _staged(client, claimed)
    assert bench.server.servicer.calls["BatchReport"] == 0
    assert bench.server.servicer.last["ReportStaged"].request_id == "request-1"


@pytest.mark.parametrize("fault", ["refuses_batches", "loses_batch_replies"])
async def test_what_a_batch_does_not_settle_is_reported_once_more_by_itself(
    client: WorkClient, bench: Any, fault: str
) -> None:
    """An older push that knows no batches, and a reply that is lost on the way."""
    claimed = await _claimed(client, bench, 4)
    setattr(bench.server.servicer, fault, True)
    await asyncio.gather(*(_staged(client, each) for each in claimed))
    assert _on_record(bench) == ["a token"] * 4
    assert bench.server.servicer.calls["BatchReport"] == 1
    expected = 4 if fault == "refuses_batches" else 8
    assert bench.server.servicer.calls["ReportStaged"] == expected


async def test_a_malformed_report_costs_the_others_their_batch_and_nothing_else(
    client: WorkClient, bench: Any
) -> None:
    claimed = await _claimed(client, bench, 3)
    answers = await asyncio.gather(
        _staged(client, claimed[0]),
        client.report_staged(claimed[1].lease, "a token", "no digest"),
        _staged(client, claimed[2]),
        return_exceptions=True,
    )
    assert [type(each) for each in answers] == [NoneType, WorkRefused, NoneType]
    assert _on_record(bench) == ["a token", "", "a token"]


async def test_a_delivery_that_ends_while_its_report_waits_takes_nobody_along(
    client: WorkClient, bench: Any
) -> None:
    claimed = await _claimed(client, bench, 3)
    reports = [asyncio.create_task(_staged(client, each)) for each in claimed]
    await asyncio.sleep(0)
    reports[1].cancel()
    answers = await asyncio.gather(*reports, return_exceptions=True)
    assert [type(each) for each in answers] == [NoneType, asyncio.CancelledError, NoneType]
    assert _on_record(bench)[::2] == ["a token", "a token"]


async def test_refusal_carries_its_reason(client: WorkClient) -> None:
    """Asked again, it would be refused again."""
    [assignment] = await client.claim_next(1, 0)
    await client.report_staged(assignment.lease, "the token", assignment.document_sha256)
    with pytest.raises(WorkRefused) as caught:
        await client.report_failed(assignment.lease, ERROR, withdrawn=False)
    assert caught.value.reason is Reason.EXPORT_WRONG_STATE
    with pytest.raises(WorkRefused) as caught:
        await client.report_staged(assignment.lease, "the token", "no digest")
    assert caught.value.reason is Reason.VALIDATION_FAILED


@pytest.mark.parametrize(
    "reason", [Reason.INTERNAL, Reason.UNAVAILABLE, Reason.RATE_LIMITED, Reason.UNAUTHENTICATED]
)
async def test_what_may_pass_is_unavailable(
    reason: Reason, client: WorkClient, bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restart, a full pool, a token that is being renewed."""

    async def refuse(*_args: object) -> None:
        raise CountersignError(reason, "not now")

    monkeypatch.setattr(bench.twin, "claim_next", refuse)
    with pytest.raises(WorkUnavailable):
        await client.claim_next(1, 0)
    assert client.reachable is False


async def test_no_push_and_no_token_are_unavailable(tmp_path: Path, bench: Any) -> None:
    """Neither ends the worker."""
    token = ServiceToken(bench.token_file).value
    async with open_channel("127.0.0.1:1", token=token) as channel:
        with pytest.raises(WorkUnavailable):
            await WorkClient(channel, "w").list_dropzones()
    missing = ServiceToken(tmp_path / "missing").value
    async with open_channel(bench.target, token=missing) as channel:
        client = WorkClient(channel, "w")
        with pytest.raises(WorkUnavailable):
            await client.list_dropzones()
        assert client.reachable is False


async def test_any_number_of_leftovers_is_reviewed(client: WorkClient, bench: Any) -> None:
    """A thousand per call."""
    await client.claim_next(1, 0)
    bench.twin.run_out(EXPORT)
    await client.claim_next(1, 0)
    old = {DropName(f"order_{number}.json", EXPORT, 1, "2a") for number in range(2500)}
    live = DropName("order.json", EXPORT, 2, "2a")
    assert await client.removable(ORG, [*old, live]) == old
    assert bench.server.servicer.calls["ReviewLeftovers"] == 3


async def test_ack_reaches_the_record(client: WorkClient, bench: Any) -> None:
    """Accepted with a number, refused with words."""
    accepted = AckFile("ack_a.json", "a.json", accepted=True, erp_order_id="4711")
    refused = AckFile("error_b.json", "b.json", error=ERROR)
    await client.report_ack(CONNECTION_TO, accepted)
    await client.report_ack(CONNECTION_TO, refused)
    assert bench.twin.acks == [
        (CONNECTION, replace(accepted, name="a.json")),
        (CONNECTION, replace(refused, name="b.json")),
    ]


async def test_dropzones_are_listed_with_their_secrets(client: WorkClient) -> None:
    """The sweeper needs what a delivery needs."""
    assert await client.list_dropzones() == [CONNECTION_TO]


async def test_calls_of_a_delivery_carry_its_request_and_trace(
    client: WorkClient, bench: Any
) -> None:
    """What a push began can be followed to its end, and no further."""
    [assignment] = await client.claim_next(1, 0)
    with delivery_context(assignment):
        await client.renew_lease(assignment.lease)
    call = bench.server.servicer.last["RenewLease"]
    assert call.request_id == "request-1"
    assert call.trace_id == "0af7651916cd43dd8448eb211c80319c"
    await asyncio.create_task(client.renew_lease(assignment.lease))
    call = bench.server.servicer.last["RenewLease"]
    assert call.request_id != "request-1"
    assert call.trace_id != "0af7651916cd43dd8448eb211c80319c"
