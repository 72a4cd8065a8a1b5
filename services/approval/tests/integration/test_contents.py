"""Contents: what a draft once said can still be read, as it was."""

import hashlib

import pytest

from countersign.approval.v1 import approval_service_pb2 as pb
from countersign_core.reasons import Reason

pytestmark = pytest.mark.integration


async def content_of(person, draft_id: str, version: int) -> pb.GetDraftContentResponse:
    request = pb.GetDraftContentRequest(draft_order_id=draft_id, content_version=version)
    return await person.call("GetDraftContent", request)


async def test_every_content_stays_readable_with_who_wrote_it(olga, make):
    draft = await olga.submit(content=make.content(make.line(qty="2.50")))
    edited = await olga.called("otto").note(draft.id, "urgent")
    first = await content_of(olga, draft.id, draft.content_version)
    second = await content_of(olga, draft.id, edited.content_version)
    assert first.content == draft.content
    assert first.content.lines[0].qty == "2.50"
    assert second.content == edited.content
    assert (first.created_by_user_id, second.created_by_user_id) == ("olga", "otto")
    assert first.content_sha256 == draft.content_sha256
    assert second.content_sha256 == edited.content_sha256
    assert len(first.content_sha256) == 2 * hashlib.sha256().digest_size
    assert first.created_at.ToDatetime() < second.created_at.ToDatetime()


async def test_what_was_approved_can_be_read_after_an_edit_took_the_approval_back(olga):
    draft = await olga.submit()
    approval = (await olga.approve(draft.id)).approval
    edited = await olga.note(draft.id, "urgent")
    assert not edited.HasField("approval")
    kept = await content_of(olga, draft.id, approval.content_version)
    assert kept.content == draft.content
    assert kept.content_sha256 == approval.content_sha256


async def test_a_version_without_a_content_of_its_own_is_not_found(olga, refused):
    draft = await olga.submit()
    version = (await olga.approve(draft.id)).version
    refusal = await refused(content_of(olga, draft.id, version))
    assert refusal.reason is Reason.DRAFT_NOT_FOUND
