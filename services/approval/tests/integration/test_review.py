"""Validate, revoke and reject."""

import asyncio
from itertools import pairwise

import pytest

from countersign.approval.v1 import draft_pb2
from countersign_core.errors import CountersignError

pytestmark = pytest.mark.integration

OUT = ["APPROVED", "PUSHING", "PUSHED", "ERROR", "REJECTED"]


@pytest.fixture
def put(olga, rows, make):
    """A draft in a given state, by its id."""

    async def put(status: str) -> str:
        blocked = status == "NEEDS_REVIEW"
        draft = await olga.submit(content=make.empty() if blocked else make.content())
        if status == "REJECTED":
            await olga.reject(draft.id)
        elif status not in {"READY", "NEEDS_REVIEW"}:
            await olga.approve(draft.id)
            way = {"APPROVED": [], "PUSHING": ["PUSHING"]}
            await rows.put_in(draft.id, *way.get(status, ["PUSHING", status]))
        return draft.id

    return put


async def test_validate_makes_a_revoked_draft_ready_again(olga, rows):
    draft = await olga.submit()
    await olga.approve(draft.id)
    await olga.revoke(draft.id)
    checked = await olga.called("otto").validate(draft.id)
    assert checked.status == draft_pb2.DRAFT_STATUS_READY
    assert (checked.version, checked.content_version) == (4, 1)
    assert checked.last_edited_by_user_id == "olga"
    (act,) = await rows.acts(draft.id, "DRAFT_EDITED")
    assert act.before == {"status": "NEEDS_REVIEW", "version": 3}
    assert act.after == {
        "status": "READY",
        "version": 4,
        "validated": True,
        "blocking_reasons": [],
    }


async def test_a_validate_that_changes_nothing_leaves_no_trace(olga, make, rows):
    for content in (make.content(), make.empty()):
        draft = await olga.submit(content=content)
        assert await olga.validate(draft.id) == draft
        assert len(await rows.acts(draft.id)) == 1


@pytest.mark.parametrize("status", ["NEW", "EXTRACTED"])
async def test_validate_moves_on_what_was_only_registered(olga, register, rows, status):
    draft_id = await register(olga.org_id, status)
    checked = await olga.validate(draft_id)
    assert (checked.status, checked.version) == (draft_pb2.DRAFT_STATUS_READY, 3)
    assert checked.last_edited_by_user_id == "import"
    assert len(await rows.acts(draft_id)) == 1


@pytest.mark.parametrize("status", OUT)
async def test_validate_is_refused_from_approved_on(olga, put, refused, status):
    refusal = await refused(olga.validate(await put(status)))
    assert (refusal.reason, refusal.code) == ("WRONG_STATE", "FAILED_PRECONDITION")
    assert refusal.message == (
        f"Draft must be NEW, EXTRACTED, NEEDS_REVIEW or READY to validate (current: {status})"
    )
    assert refusal.metadata["allowed"] == "EXTRACTED,NEEDS_REVIEW,NEW,READY"


async def test_revoke_takes_the_approval_back(olga, rows):
    draft = await olga.submit()
    approval = (await olga.approve(draft.id)).approval
    revoked = await olga.called("otto").revoke(draft.id, expected_version=2)
    assert revoked.status == draft_pb2.DRAFT_STATUS_NEEDS_REVIEW
    assert (revoked.version, revoked.content) == (3, draft.content)
    assert not revoked.HasField("approval")
    (act,) = await rows.acts(draft.id, "DRAFT_APPROVAL_REVOKED")
    assert act.actor == "otto"
    assert act.before == {
        "status": "APPROVED",
        "version": 2,
        "approved_by": "olga",
        "approved_at": approval.approved_at.ToDatetime().isoformat() + "+00:00",
        "content_version": 1,
        "content_sha256": draft.content_sha256,
    }
    assert act.after == {"status": "NEEDS_REVIEW", "version": 3}


@pytest.mark.parametrize(
    "status", ["NEEDS_REVIEW", "READY", "PUSHING", "PUSHED", "ERROR", "REJECTED"]
)
async def test_only_an_approval_can_be_revoked(olga, put, refused, status):
    refusal = await refused(olga.revoke(await put(status)))
    assert (refusal.reason, refusal.code) == ("WRONG_STATE", "FAILED_PRECONDITION")
    assert refusal.message == f"Draft must be APPROVED to revoke (current: {status})"
    assert refusal.metadata == {"current": status, "allowed": "APPROVED"}


async def test_a_revoke_of_what_changed_since_is_refused(olga, refused):
    draft = await olga.submit()
    await olga.approve(draft.id)
    refusal = await refused(olga.revoke(draft.id, expected_version=1))
    assert (refusal.reason, refusal.code) == ("VERSION_MISMATCH", "ABORTED")


async def test_revokes_and_approvals_at_once_stay_in_step(olga, rows):
    """However they interleave, the trail alternates and ends where the draft stands."""
    draft = await olga.submit()
    await olga.approve(draft.id)

    async def back_and_forth() -> None:
        for act in (olga.revoke, olga.validate, olga.approve):
            try:
                await act(draft.id)
            except CountersignError as error:
                assert error.reason in {"WRONG_STATE", "ALREADY_APPROVED"}  # noqa: PT017 — others are defects

    await asyncio.gather(*(back_and_forth() for _ in range(8)))
    acts = await rows.acts(draft.id, "DRAFT_APPROVED", "DRAFT_APPROVAL_REVOKED")
    acts.sort(key=lambda act: act.after["version"])
    actions = [act.action for act in acts]
    assert actions == ["DRAFT_APPROVED", "DRAFT_APPROVAL_REVOKED"] * (len(acts) // 2) + (
        ["DRAFT_APPROVED"] if len(acts) % 2 else []
    )
    is_approved = (await olga.get(draft.id)).HasField("approval")
    assert is_approved == (len(acts) % 2 == 1)


@pytest.mark.parametrize(("status", "version"), [("NEEDS_REVIEW", 2), ("READY", 3)])
async def test_reject_is_final_and_says_why(olga, put, rows, status, version):
    """A READY draft makes both legal moves, each with a version of its own."""
    draft_id = await put(status)
    rejected = await olga.reject(draft_id, "  Doubled order ", expected_version=1)
    assert rejected.status == draft_pb2.DRAFT_STATUS_REJECTED
    assert rejected.version == version
    assert rejected.rejection.reason == "Doubled order"
    assert rejected.rejection.rejected_by_user_id == "olga"
    (act,) = await rows.acts(draft_id, "DRAFT_REJECTED")
    assert act.before == {"status": status, "version": 1}
    assert act.after == {"status": "REJECTED", "version": version, "reason": "Doubled order"}
    moves = await rows.owner.fetch(
        "SELECT from_status, to_status FROM approval.draft_status_changes ORDER BY id OFFSET 1"
    )
    way = ["READY", "NEEDS_REVIEW", "REJECTED"][1 if status == "NEEDS_REVIEW" else 0 :]
    assert [tuple(move) for move in moves] == list(pairwise(way))


@pytest.mark.parametrize("status", OUT)
async def test_reject_is_refused_from_approved_on(olga, put, refused, status):
    refusal = await refused(olga.reject(await put(status)))
    assert (refusal.reason, refusal.code) == ("WRONG_STATE", "FAILED_PRECONDITION")
    assert refusal.message == (f"Draft must be NEEDS_REVIEW or READY to reject (current: {status})")


@pytest.mark.parametrize("reason", ["", "   ", "why\0"])
async def test_a_reject_needs_a_reason(olga, put, refused, reason):
    refusal = await refused(olga.reject(await put("READY"), reason))
    assert (refusal.reason, refusal.code) == ("VALIDATION_FAILED", "INVALID_ARGUMENT")
    assert refusal.fields == ["reason"]


async def test_a_reject_of_what_changed_since_is_refused(olga, put, refused):
    draft_id = await put("READY")
    await olga.note(draft_id, "changed")
    refusal = await refused(olga.reject(draft_id, expected_version=1))
    assert (refusal.reason, refusal.code) == ("VERSION_MISMATCH", "ABORTED")
    assert (await olga.get(draft_id)).status == draft_pb2.DRAFT_STATUS_READY


async def test_rejects_and_edits_at_once_lose_nothing(olga, put, rows):
    """A reject of a READY draft is two moves; no edit may slip between them."""
    for _ in range(10):
        draft_id = await put("READY")
        outcomes = await asyncio.gather(
            olga.reject(draft_id),
            *(olga.note(draft_id, f"note {turn}") for turn in range(3)),
            return_exceptions=True,
        )
        assert not isinstance(outcomes[0], BaseException)
        found = await olga.get(draft_id)
        assert found.status == draft_pb2.DRAFT_STATUS_REJECTED
        edits = sum(not isinstance(outcome, BaseException) for outcome in outcomes[1:])
        assert found.version == 1 + edits + 2
        assert len(await rows.acts(draft_id)) == 1 + edits + 1
