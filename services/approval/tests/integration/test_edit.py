"""Edits: what the mask names, guarded by the version, on record field by field."""

import asyncio
from uuid import UUID

import pytest

from countersign.approval.v1 import draft_pb2
from countersign_core.ids import draft_event_id

pytestmark = pytest.mark.integration


async def test_an_edit_changes_what_the_mask_names_and_runs_the_check(olga, make):
    draft = await olga.submit(content=make.content(currency=""))
    assert draft.status == draft_pb2.DRAFT_STATUS_NEEDS_REVIEW
    new = make.content(currency="USD", external_order_number="ignored")
    edited = await olga.called("otto").edit(
        draft.id, content=new, update_mask=make.mask("header.currency", "customer.name")
    )
    assert edited.status == draft_pb2.DRAFT_STATUS_READY
    assert (edited.version, edited.content_version) == (2, 2)
    assert edited.content.header.currency == "USD"
    assert edited.content.header.external_order_number == "PO-1"
    assert edited.last_edited_by_user_id == "otto"
    assert edited.created_by_user_id == "olga"
    assert edited.content_sha256 != draft.content_sha256
    assert await olga.get(draft.id) == edited


async def test_an_empty_value_clears_and_blocks(olga, make):
    draft = await olga.submit()
    edited = await olga.edit(
        draft.id, update_mask=make.mask("customer.erp_customer_number", "lines")
    )
    assert edited.status == draft_pb2.DRAFT_STATUS_NEEDS_REVIEW
    codes = [reason.code for reason in edited.blocking_reasons]
    assert codes == ["CUSTOMER_MISSING", "NO_LINES"]
    assert (edited.total_value, len(edited.content.lines)) == ("0", 0)


async def test_a_line_is_edited_alone(olga, make):
    draft = await olga.submit(content=make.content(make.line(1), make.line(2)))
    edited = await olga.edit_line(
        draft.id, 2, line={"qty": "3", "uom": "KG"}, update_mask=make.mask("qty")
    )
    first, second = edited.content.lines
    assert first == draft.content.lines[0]
    assert (second.line_no, second.qty, second.uom) == (2, "3", "ST")
    assert edited.total_value == "20.75"


async def test_resolving_the_last_open_issue_makes_the_draft_ready(olga, make, rows):
    draft = await olga.submit(issues=[make.issue("a"), make.issue("b")])
    assert (await olga.edit(draft.id, resolve_issue_ids=["a"])).version == 2
    edited = await olga.edit(draft.id, resolve_issue_ids=["b"])
    assert edited.status == draft_pb2.DRAFT_STATUS_READY
    assert [issue.resolved for issue in edited.issues] == [True, True]
    assert (edited.version, edited.content_version) == (3, 1)
    *_, act = await rows.acts(draft.id, "DRAFT_EDITED")
    assert act.after["resolved_issues"] == ["b"]


async def test_an_edit_is_recorded_field_by_field(olga, make, rows):
    draft = await olga.submit(content=make.content(notes="old"))
    edited = await olga.note(draft.id, "new")
    (act,) = await rows.acts(draft.id, "DRAFT_EDITED")
    assert act.before == {
        "status": "READY",
        "version": 1,
        "content_sha256": draft.content_sha256,
        "changed": {"header.notes": "old"},
    }
    assert act.after == {
        "status": "READY",
        "version": 2,
        "content_sha256": edited.content_sha256,
        "changed": {"header.notes": "new"},
    }
    assert act.id == draft_event_id(olga.org_id, UUID(draft.id), 2, "DRAFT_EDITED")


async def test_an_edit_that_changes_nothing_leaves_no_trace(olga, make, rows):
    draft = await olga.submit(content=make.content(notes="as it is"))
    await olga.approve(draft.id)
    before = await olga.get(draft.id)
    assert await olga.note(draft.id, " as it is ") == before
    assert await rows.acts(draft.id, "DRAFT_EDITED", "DRAFT_APPROVAL_REVOKED") == []


@pytest.mark.parametrize("status", ["APPROVED", "ERROR"])
async def test_an_edit_of_an_approved_draft_takes_the_approval_back(olga, rows, status):
    draft = await olga.submit()
    approval = (await olga.approve(draft.id)).approval
    if status == "ERROR":
        await rows.put_in(draft.id, "PUSHING", "ERROR")
    seen = await olga.get(draft.id)
    edited = await olga.note(draft.id, "after all")
    assert edited.status == draft_pb2.DRAFT_STATUS_NEEDS_REVIEW
    assert not edited.HasField("approval")
    assert not edited.blocking_reasons
    revoked, edit = (await rows.acts(draft.id))[-2:]
    assert (revoked.action, edit.action) == ("DRAFT_APPROVAL_REVOKED", "DRAFT_EDITED")
    assert revoked.before["status"] == edit.before["status"] == status
    assert revoked.before["approved_by"] == "olga"
    assert revoked.before["content_sha256"] == approval.content_sha256
    assert revoked.after == {"status": "NEEDS_REVIEW", "version": seen.version + 1}
    assert (await olga.validate(draft.id)).status == draft_pb2.DRAFT_STATUS_READY


@pytest.mark.parametrize("status", ["NEW", "EXTRACTED"])
async def test_an_edit_reads_a_draft_that_was_only_registered(olga, register, status):
    draft_id = await register(olga.org_id, status)
    edited = await olga.note(draft_id, "read")
    assert edited.status == draft_pb2.DRAFT_STATUS_READY
    assert edited.version == 3


@pytest.mark.parametrize("status", ["PUSHING", "PUSHED", "REJECTED"])
async def test_an_edit_is_refused_once_the_order_is_under_way_or_out(olga, rows, refused, status):
    draft = await olga.submit()
    if status == "REJECTED":
        await olga.reject(draft.id)
    else:
        await olga.approve(draft.id)
        await rows.put_in(draft.id, "PUSHING", *([status] if status == "PUSHED" else []))
    before = await olga.get(draft.id)
    refusal = await refused(olga.note(draft.id, "too late"))
    assert (refusal.reason, refusal.code) == ("WRONG_STATE", "FAILED_PRECONDITION")
    assert refusal.message == (
        "Draft must be NEW, EXTRACTED, NEEDS_REVIEW, READY, APPROVED or ERROR to edit "
        f"(current: {status})"
    )
    assert refusal.metadata["current"] == status
    assert await olga.get(draft.id) == before


async def test_a_stale_version_changes_nothing(olga, refused):
    draft = await olga.submit()
    await olga.note(draft.id, "first")
    refusal = await refused(olga.note(draft.id, "second", expected_version=1))
    assert (refusal.reason, refusal.code) == ("VERSION_MISMATCH", "ABORTED")
    assert refusal.message == "Changed since version 1 (current: 2)"
    assert refusal.metadata == {"expected_version": "1", "current_version": "2"}
    assert (await olga.get(draft.id)).content.header.notes == "first"


async def test_of_edits_with_one_expected_version_one_wins(olga, refused, rows):
    draft = await olga.submit()
    results = await asyncio.gather(
        *(olga.note(draft.id, f"note {turn}", expected_version=1) for turn in range(16)),
        return_exceptions=True,
    )
    won = [result for result in results if not isinstance(result, Exception)]
    assert len(won) == 1
    reasons = {result.reason for result in results if isinstance(result, Exception)}
    assert reasons == {"VERSION_MISMATCH"}
    assert await olga.get(draft.id) == won[0]
    assert len(await rows.acts(draft.id, "DRAFT_EDITED")) == 1


async def test_edits_of_different_fields_at_once_all_take_place(olga, make, rows):
    """Without an expected version a lost race is run again on what stands there then."""
    draft = await olga.submit(content=make.content(*(make.line(n) for n in range(1, 7))))
    await asyncio.gather(
        *(
            olga.edit_line(draft.id, n, line={"qty": str(n * 10)}, update_mask=make.mask("qty"))
            for n in range(1, 7)
        )
    )
    found = await olga.get(draft.id)
    assert [line.qty for line in found.content.lines] == ["10", "20", "30", "40", "50", "60"]
    assert found.version == 7
    versions = [act.after["version"] for act in await rows.acts(draft.id, "DRAFT_EDITED")]
    assert sorted(versions) == [2, 3, 4, 5, 6, 7]


async def test_what_cannot_be_edited_is_named(olga, make, refused):
    draft = await olga.submit(issues=[make.issue("a")])
    bad = olga.edit(draft.id, update_mask=make.mask("header.notes", "status", "customer.vat"))
    refusal = await refused(bad)
    assert (refusal.reason, refusal.code) == ("VALIDATION_FAILED", "INVALID_ARGUMENT")
    assert refusal.fields == ["update_mask.paths[1]", "update_mask.paths[2]"]
    assert (await refused(olga.edit(draft.id))).fields == ["update_mask"]
    unknown = await refused(olga.edit(draft.id, resolve_issue_ids=["a", "b"]))
    assert unknown.fields == ["resolve_issue_ids[1]"]
    day = draft_pb2.DraftContent(header={"order_date": "2026-13-01"})
    bad = olga.edit(draft.id, content=day, update_mask=make.mask("header.order_date"))
    assert (await refused(bad)).fields == ["content.header.order_date"]


async def test_what_cannot_be_edited_of_a_line_is_named(olga, make, refused):
    draft = await olga.submit()
    bad = olga.edit_line(draft.id, 1, line={"qty": "1"}, update_mask=make.mask("line_no", "qty"))
    assert (await refused(bad)).fields == ["update_mask.paths[0]"]
    assert (await refused(olga.edit_line(draft.id, 1, line={"qty": "1"}))).fields == ["update_mask"]
    bad = olga.edit_line(draft.id, 1, line={"qty": "1,5"}, update_mask=make.mask("qty"))
    assert (await refused(bad)).fields == ["line.qty"]
    bad = olga.edit_line(draft.id, 1, line={"uom": "\0"}, update_mask=make.mask("uom"))
    assert (await refused(bad)).fields == ["line.uom"]


async def test_a_line_that_is_not_there_is_not_found(olga, make, refused):
    draft = await olga.submit()
    edit = olga.edit_line(draft.id, 9, line={"qty": "1"}, update_mask=make.mask("qty"))
    refusal = await refused(edit)
    assert (refusal.reason, refusal.code) == ("LINE_NOT_FOUND", "NOT_FOUND")
    assert (refusal.message, refusal.metadata) == ("Line not found", {"line_no": "9"})
