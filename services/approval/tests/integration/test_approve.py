"""Approvals: what they freeze, who may give them, and that each is given once."""

from uuid import UUID

import pytest

from countersign.approval.v1 import draft_pb2
from countersign_core.errors import CountersignError
from countersign_core.ids import draft_event_id
from countersign_core.reasons import Reason

pytestmark = pytest.mark.integration


async def test_an_approval_freezes_the_content_under_its_digest(olga):
    draft = await olga.submit()
    approved = await olga.approve(draft.id)
    assert approved.draft_order_id == draft.id
    assert approved.status == draft_pb2.DRAFT_STATUS_APPROVED
    assert approved.version == 2
    assert approved.approval.approved_by_user_id == "olga"
    assert approved.approval.content_sha256 == draft.content_sha256
    assert approved.approval.content_version == draft.content_version
    assert (await olga.get(draft.id)).approval == approved.approval


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
    assert (act.actor, act.event.request_id) == ("olga", "req-7")
    assert (act.event.entity_type, act.event.entity_id) == ("draft_order", draft.id)


async def test_approve_of_an_approved_draft_says_so(olga):
    draft = await olga.submit()
    await olga.approve(draft.id)
    with pytest.raises(CountersignError) as refused:
        await olga.approve(draft.id)
    assert refused.value.reason is Reason.ALREADY_APPROVED
    assert refused.value.message == "Draft already approved"
