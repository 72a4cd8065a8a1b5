"""Approvals: what they freeze, who may give them, and that each is given once."""

import asyncio
from uuid import UUID, uuid4

import pytest

from countersign.approval.v1 import draft_pb2
from countersign_core.errors import CountersignError
from countersign_core.ids import draft_event_id
from countersign_core.roles import Role

pytestmark = pytest.mark.integration


async def test_an_approval_freezes_the_content_under_its_digest(olga):
    draft = await olga.submit()
    approved = await olga.approve(draft.id, expected_version=1)
    assert approved.draft_order_id == draft.id
    assert approved.status == draft_pb2.DRAFT_STATUS_APPROVED
    assert approved.version == 2
    assert approved.approval.approved_by_user_id == "olga"
    assert approved.approval.content_sha256 == draft.content_sha256
    assert approved.approval.content_version == draft.content_version
    stored = await olga.get(draft.id)
    assert stored.approval == approved.approval
    assert (stored.content_version, stored.content) == (1, draft.content)


async def test_an_approval_is_recorded_with_version_and_digest(olga, rows):
    draft = await olga.submit()
    await olga.with_metadata(("x-request-id", "req-7")).approve(draft.id)
    (act,) = await rows.acts(draft.id, "DRAFT_APPROVED")
    assert act.before == {"status": "READY", "version": 1}
    assert act.after == {
        "status": "APPROVED",
        "version": 2,
        "content_version": 1,
        "content_sha256": draft.content_sha256,
    }
    assert act.id == draft_event_id(olga.org_id, UUID(draft.id), 2, "DRAFT_APPROVED")
    assert act.event.event_id == str(act.id)
    assert act.event.org_id == str(olga.org_id)
    assert (act.actor, act.event.request_id) == ("olga", "req-7")
    assert (act.event.entity_type, act.event.entity_id) == ("draft_order", draft.id)


async def test_approve_of_an_approved_draft_says_so(olga, refused):
    draft = await olga.submit()
    await olga.approve(draft.id)
    refusal = await refused(olga.called("otto").approve(draft.id))
    assert (refusal.reason, refusal.code) == ("ALREADY_APPROVED", "FAILED_PRECONDITION")
    assert refusal.message == "Draft already approved"
    assert refusal.metadata == {"current": "APPROVED", "allowed": "READY"}
    assert (await olga.get(draft.id)).approval.approved_by_user_id == "olga"


@pytest.mark.parametrize("status", ["NEEDS_REVIEW", "PUSHING", "PUSHED", "ERROR", "REJECTED"])
async def test_only_a_ready_draft_can_be_approved(olga, make, rows, refused, status):
    draft = await olga.submit(content=make.empty() if status == "NEEDS_REVIEW" else make.content())
    if status == "REJECTED":
        await olga.reject(draft.id)
    elif status != "NEEDS_REVIEW":
        await olga.approve(draft.id)
        await rows.put_in(draft.id, "PUSHING", *([status] if status != "PUSHING" else []))
    refusal = await refused(olga.approve(draft.id))
    assert (refusal.reason, refusal.code) == ("WRONG_STATE", "FAILED_PRECONDITION")
    assert refusal.message == f"Draft must be READY to approve (current: {status})"
    assert refusal.metadata == {"current": status, "allowed": "READY"}


async def test_a_draft_that_changed_since_is_not_approved(olga, refused, rows):
    draft = await olga.submit()
    await olga.note(draft.id, "changed")
    refusal = await refused(olga.approve(draft.id, expected_version=1))
    assert (refusal.reason, refusal.code) == ("VERSION_MISMATCH", "ABORTED")
    assert refusal.metadata == {"expected_version": "1", "current_version": "2"}
    assert await rows.acts(draft.id, "DRAFT_APPROVED") == []
    assert (await olga.approve(draft.id, expected_version=2)).version == 3


async def test_an_unknown_draft_is_not_found(olga, refused):
    refusal = await refused(olga.approve(str(uuid4())))
    assert (refusal.reason, refusal.code) == ("DRAFT_NOT_FOUND", "NOT_FOUND")
    assert refusal.message == "Draft not found"


async def test_thirty_two_approvals_at_once_give_one(start_replica, rows):
    """Through two replicas, by different people: one success, one event, documented refusals."""
    olga = await start_replica()
    other = olga.through(await start_replica())
    draft = await olga.submit()
    people = [(olga, other)[turn % 2].called(f"user-{turn}", Role.OPERATOR) for turn in range(32)]
    outcomes = await asyncio.gather(
        *(person.approve(draft.id) for person in people), return_exceptions=True
    )
    won = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
    lost = [outcome for outcome in outcomes if isinstance(outcome, CountersignError)]
    assert (len(won), len(lost)) == (1, 31)
    assert {error.reason for error in lost} == {"ALREADY_APPROVED"}
    (act,) = await rows.acts(draft.id, "DRAFT_APPROVED")
    assert act.actor == won[0].approval.approved_by_user_id
    assert (await olga.get(draft.id)).approval == won[0].approval


async def test_approvals_and_edits_at_once_never_approve_what_nobody_saw(olga, rows):
    """Whoever approves version 1 gets version 1 or a refusal, whatever is edited meanwhile."""
    drafts = [await olga.submit() for _ in range(10)]
    outcomes = await asyncio.gather(
        *(olga.approve(draft.id, expected_version=1) for draft in drafts),
        *(olga.note(draft.id, "raced", expected_version=1) for draft in drafts),
        return_exceptions=True,
    )
    approvals, edits = outcomes[:10], outcomes[10:]
    for draft, approval, edit in zip(drafts, approvals, edits, strict=True):
        assert isinstance(approval, CountersignError) != isinstance(edit, CountersignError)
        if not isinstance(approval, CountersignError):
            assert approval.approval.content_sha256 == draft.content_sha256


class TestFourEyes:
    """Above the threshold the approver must not be the last editor."""

    async def test_the_submitter_counts_as_editor(self, olga, refused, rows):
        await olga.called("ada", Role.ADMIN).set_policy("8.29")
        draft = await olga.submit()
        refusal = await refused(olga.approve(draft.id))
        assert (refusal.reason, refusal.code) == ("FOUR_EYES_REQUIRED", "PERMISSION_DENIED")
        assert "second person" in refusal.message
        assert refusal.metadata == {"rule": "approver_is_last_editor", "threshold": "8.29"}
        assert await rows.acts(draft.id, "DRAFT_APPROVED") == []
        await olga.called("otto").approve(draft.id)

    async def test_the_last_editor_is_who_counts(self, olga, refused):
        await olga.called("ada", Role.ADMIN).set_policy("0")
        draft = await olga.submit()
        await olga.called("otto").note(draft.id, "mine now")
        assert (await refused(olga.called("otto").approve(draft.id))).reason == "FOUR_EYES_REQUIRED"
        await olga.approve(draft.id)

    async def test_an_order_of_exactly_the_threshold_needs_nobody_else(self, olga):
        await olga.called("ada", Role.ADMIN).set_policy("8.30")
        await olga.approve((await olga.submit()).id)

    async def test_validate_and_revoke_make_nobody_an_editor(self, olga):
        await olga.called("ada", Role.ADMIN).set_policy("0")
        draft = await olga.submit()
        otto = olga.called("otto")
        await otto.approve(draft.id)
        await otto.revoke(draft.id)
        await otto.validate(draft.id)
        await otto.approve(draft.id)

    async def test_resolving_an_issue_makes_an_editor(self, olga, make, refused):
        await olga.called("ada", Role.ADMIN).set_policy("0")
        draft = await olga.submit(issues=[make.issue("a")])
        otto = olga.called("otto")
        await otto.edit(draft.id, resolve_issue_ids=["a"])
        assert (await refused(otto.approve(draft.id))).reason == "FOUR_EYES_REQUIRED"

    async def test_another_orgs_policy_is_no_matter(self, olga):
        await olga.elsewhere().called("ada", Role.ADMIN).set_policy("0")
        await olga.approve((await olga.submit()).id)
