"""Batches: a result for each draft, in the order asked, and one statement for all of them."""

import asyncio
from uuid import UUID, uuid4

import pytest

from countersign.approval.v1 import approval_service_pb2 as pb
from countersign.approval.v1 import draft_pb2
from countersign.errors.v1 import errors_pb2
from countersign_core.ids import draft_event_id
from countersign_core.roles import Role

pytestmark = pytest.mark.integration


def reasons(results) -> list[str]:
    return [
        errors_pb2.ErrorReason.Name(result.problem.reason).removeprefix("ERROR_REASON_")
        if result.WhichOneof("outcome") == "problem"
        else "approved"
        for result in results
    ]


async def test_each_draft_has_a_result_of_its_own(olga, make, rows):
    ready, approved, blocked, stale = [await olga.submit() for _ in range(4)]
    await olga.approve(approved.id)
    await olga.edit(blocked.id, update_mask=make.mask("header.currency"))
    await olga.note(stale.id, "changed")
    nobody = str(uuid4())
    asked = [
        pb.ApproveDraftRequest(draft_order_id=nobody),
        pb.ApproveDraftRequest(draft_order_id=ready.id, expected_version=1),
        pb.ApproveDraftRequest(draft_order_id=approved.id),
        pb.ApproveDraftRequest(draft_order_id=stale.id, expected_version=1),
        pb.ApproveDraftRequest(draft_order_id=blocked.id),
    ]
    reply = await olga.call("BatchApproveDrafts", pb.BatchApproveDraftsRequest(items=asked))
    ids = [result.draft_order_id for result in reply.results]
    assert ids == [nobody, ready.id, approved.id, stale.id, blocked.id]
    assert reasons(reply.results) == [
        "DRAFT_NOT_FOUND",
        "approved",
        "ALREADY_APPROVED",
        "VERSION_MISMATCH",
        "WRONG_STATE",
    ]
    done = reply.results[1].approved
    assert (done.draft_order_id, done.version) == (ready.id, 2)
    assert done.approval.content_sha256 == ready.content_sha256
    problem = reply.results[4].problem
    assert problem.message == "Draft must be READY to approve (current: NEEDS_REVIEW)"
    assert dict(problem.metadata) == {"current": "NEEDS_REVIEW", "allowed": "READY"}
    assert [act.event.entity_id for act in await rows.acts("", "DRAFT_APPROVED")] == [
        approved.id,
        ready.id,
    ]


async def test_five_hundred_drafts_are_approved_at_once(olga, rows):
    drafts = [await olga.submit() for _ in range(500)]
    results = await olga.approve_all(*(draft.id for draft in drafts))
    assert reasons(results) == ["approved"] * 500
    assert [result.draft_order_id for result in results] == [draft.id for draft in drafts]
    acts = {act.event.entity_id: act for act in await rows.acts("", "DRAFT_APPROVED")}
    assert len(acts) == 500
    for draft in drafts:
        act = acts[draft.id]
        assert act.id == draft_event_id(olga.org_id, UUID(draft.id), 2, "DRAFT_APPROVED")
        assert act.after["content_sha256"] == draft.content_sha256
    again = await olga.approve_all(*(draft.id for draft in drafts))
    assert reasons(again) == ["ALREADY_APPROVED"] * 500


async def test_overlapping_batches_approve_each_draft_once(olga, rows):
    """In opposite orders: they lock in one order, so none is the victim of a deadlock."""
    drafts = [(await olga.submit()).id for _ in range(40)]
    outcomes = await asyncio.gather(
        *(olga.approve_all(*(drafts if turn % 2 else reversed(drafts))) for turn in range(8))
    )
    found = [reason for results in outcomes for reason in reasons(results)]
    assert found.count("approved") == 40
    assert found.count("ALREADY_APPROVED") == 7 * 40
    assert len(await rows.acts("", "DRAFT_APPROVED")) == 40


async def test_the_policy_holds_for_each_draft(olga, make):
    await olga.called("ada", Role.ADMIN).set_policy("100")
    small = await olga.submit()
    large = await olga.submit(content=make.content(make.line(qty="100")))
    results = await olga.approve_all(small.id, large.id)
    assert reasons(results) == ["approved", "FOUR_EYES_REQUIRED"]
    assert results[1].problem.metadata["threshold"] == "100"


async def test_a_draft_asked_for_twice_is_a_malformed_request(olga, refused):
    draft, other = await olga.submit(), await olga.submit()
    refusal = await refused(olga.approve_all(draft.id, other.id, draft.id.upper()))
    assert (refusal.reason, refusal.code) == ("VALIDATION_FAILED", "INVALID_ARGUMENT")
    assert refusal.fields == ["items[2].draft_order_id"]
    assert (await olga.get(other.id)).status == draft_pb2.DRAFT_STATUS_READY


@pytest.mark.parametrize("count", [0, 501])
async def test_a_batch_has_one_to_five_hundred_drafts(olga, refused, count):
    refusal = await refused(olga.approve_all(*(str(uuid4()) for _ in range(count))))
    assert (refusal.reason, refusal.fields) == ("VALIDATION_FAILED", ["items"])
