"""Submits: checked at once, stored once per external_ref."""

import asyncio
from uuid import UUID

import pytest

from countersign.approval.v1 import approval_service_pb2 as pb
from countersign.approval.v1 import draft_pb2
from countersign_core.ids import draft_event_id

pytestmark = pytest.mark.integration


async def test_a_complete_order_is_ready_and_stored_as_it_came(olga, make):
    sent = make.content(make.line(2, qty="2.500"), make.line(1), notes="  gate 3 ")
    draft = await olga.submit("ref-1", content=sent)
    assert (draft.external_ref, draft.version, draft.content_version) == ("ref-1", 1, 1)
    assert draft.status == draft_pb2.DRAFT_STATUS_READY
    assert [line.line_no for line in draft.content.lines] == [1, 2]
    assert draft.content.lines[1].qty == "2.500"
    assert draft.content.header.notes == "gate 3"
    assert draft.total_value == "18.67500"
    assert (draft.created_by_user_id, draft.last_edited_by_user_id) == ("olga", "olga")
    assert not draft.blocking_reasons
    assert not draft.HasField("approval")
    assert await olga.get(draft.id) == draft


async def test_an_incomplete_order_needs_review_and_says_why(olga, make):
    draft = await olga.submit(content=make.empty(), issues=[make.issue(line_no=4)])
    assert draft.status == draft_pb2.DRAFT_STATUS_NEEDS_REVIEW
    found = [(reason.code, reason.line_no) for reason in draft.blocking_reasons]
    assert found == [
        ("CUSTOMER_MISSING", 0),
        ("CURRENCY_MISSING", 0),
        ("NO_LINES", 0),
        ("OPEN_ISSUE", 4),
    ]
    assert list(draft.issues) == [make.issue(line_no=4)]


async def test_the_same_external_ref_answers_the_first_draft_unchanged(olga, make):
    first = await olga.submit("ref-1")
    request = pb.SubmitDraftRequest(external_ref="ref-1", content=make.content())
    again = await olga.call("SubmitDraft", request)
    assert (again.created, again.content_differs) == (False, False)
    assert again.draft == first


async def test_other_content_under_a_known_ref_is_told_and_not_stored(olga, make):
    first = await olga.submit("ref-1")
    edited = await olga.note(first.id, "seen")
    other = pb.SubmitDraftRequest(external_ref="ref-1", content=make.content(currency="USD"))
    reply = await olga.call("SubmitDraft", other)
    assert (reply.created, reply.content_differs) == (False, True)
    assert reply.draft == edited
    same = pb.SubmitDraftRequest(external_ref="ref-1", content=make.content())
    assert (await olga.call("SubmitDraft", same)).content_differs is False


async def test_two_orgs_may_use_the_same_external_ref(olga):
    other = olga.elsewhere()
    assert (await olga.submit("ref-1")).id != (await other.submit("ref-1")).id


async def test_thirty_two_submits_of_one_ref_at_once_make_one_draft(start_replica, make, rows):
    """Through two replicas; every caller gets the same draft."""
    olga = await start_replica()
    people = [olga, olga.through(await start_replica())]
    request = pb.SubmitDraftRequest(external_ref="ref-1", content=make.content())
    replies = await asyncio.gather(
        *(people[turn % 2].call("SubmitDraft", request) for turn in range(32))
    )
    assert len({reply.draft.id for reply in replies}) == 1
    assert sum(reply.created for reply in replies) == 1
    assert not any(reply.content_differs for reply in replies)
    assert await rows.owner.fetchval("SELECT count(*) FROM approval.draft_orders") == 1
    assert await rows.owner.fetchval("SELECT count(*) FROM approval.draft_contents") == 1
    assert len(await rows.acts(replies[0].draft.id)) == 1


async def test_a_submit_is_recorded(olga, rows, make):
    draft = await olga.submit("ref-1", content=make.content(make.line(uom=""), make.line(2)))
    (act,) = await rows.acts()
    assert (act.action, act.actor, act.before) == ("DRAFT_SUBMITTED", "olga", None)
    assert act.after == {
        "status": "NEEDS_REVIEW",
        "version": 1,
        "external_ref": "ref-1",
        "content_sha256": draft.content_sha256,
        "line_count": 2,
        "total_value": "16.60",
        "blocking_reasons": ["LINE_UOM_MISSING"],
    }
    assert act.id == draft_event_id(olga.org_id, UUID(draft.id), 1, "DRAFT_SUBMITTED")


async def test_every_malformed_field_is_named(olga, make, refused, rows):
    """What the rules of the protos find, and nothing is stored."""
    broken = make.content(make.line(qty="1,5"), make.line(0), currency="eur", order_date="today")
    refusal = await refused(olga.submit(content=broken))
    assert (refusal.reason, refusal.code) == ("VALIDATION_FAILED", "INVALID_ARGUMENT")
    assert set(refusal.fields) == {
        "content.header.order_date",
        "content.header.currency",
        "content.lines[0].qty",
        "content.lines[1].line_no",
    }
    assert await rows.acts() == []


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"header": {"order_date": "2026-02-30"}}, "content.header.order_date"),
        ({"lines": [{"line_no": 1}, {"line_no": 1}]}, "content.lines[1].line_no"),
        ({"customer": {"name": "a\0"}}, "content.customer.name"),
    ],
)
async def test_what_the_rules_cannot_say_is_refused_as_well(olga, refused, fields, path):
    refusal = await refused(olga.submit(content=draft_pb2.DraftContent(**fields)))
    assert (refusal.reason, refusal.code) == ("VALIDATION_FAILED", "INVALID_ARGUMENT")
    assert refusal.fields == [path]


async def test_malformed_issues_and_refs_are_refused(olga, make, refused):
    doubled = [make.issue("a"), make.issue("b", message="\0"), make.issue("a")]
    refusal = await refused(olga.submit(issues=doubled))
    assert refusal.fields == ["issues[1].message", "issues[2].id"]
    assert (await refused(olga.submit("a\0b"))).fields == ["external_ref"]
