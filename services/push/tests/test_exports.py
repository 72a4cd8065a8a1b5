"""GetExport, ListExports and PreviewExport."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from countersign.push.v1 import export_pb2
from countersign.push.v1 import push_service_pb2 as pb
from countersign_core.errors import CountersignError
from countersign_core.ids import dedup_key
from countersign_core.reasons import Reason
from countersign_core.roles import Role

pytestmark = pytest.mark.integration


async def refused(call):
    with pytest.raises(CountersignError) as caught:
        await call
    return caught.value


@pytest.fixture
def reader(world, client):
    """A VIEWER of the operator's org."""
    return world.client(client.org_id, Role.VIEWER)


@pytest.fixture
def push(client, approved):
    """Pushes a fresh draft; draft and export id."""

    async def push():
        draft = await approved()
        return draft, UUID((await client.push(draft)).erp_export_id)

    return push


async def get(client, export):
    request = pb.GetExportRequest(erp_export_id=str(export))
    return (await client.call("GetExport", request)).export


async def list_(client, **fields):
    return await client.call("ListExports", pb.ListExportsRequest(**fields))


async def preview(client, draft):
    request = pb.PreviewExportRequest(draft_order_id=str(draft))
    return await client.call("PreviewExport", request)


def ids(page):
    return [UUID(export.id) for export in page.exports]


def at(moment):
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


async def test_an_export_is_shown_as_it_stands(world, reader, push):
    draft, export = await push()
    shown = await get(reader, export)
    [row] = await world.orders.exports(reader.org_id, draft)
    assert shown.status == export_pb2.EXPORT_STATUS_PENDING
    assert (shown.draft_order_id, shown.file_name) == (str(draft), row["file_name"])
    assert shown.content_sha256 == row["content_sha256"].hex()
    assert shown.created_at.ToDatetime(UTC) == row["created_at"]
    assert shown.created_by_user_id == "olga"
    assert shown.HasField("next_attempt_at")
    assert not any(shown.HasField(field) for field in ("error", "sent_at", "acked_at"))
    assert (shown.retry_of, shown.document_sha256, shown.staged) == ("", "", False)


async def test_a_failed_export_shows_why(world, reader, push):
    _, export = await push()
    await world.orders.failed(reader.org_id, export)
    shown = await get(reader, export)
    assert shown.status == export_pb2.EXPORT_STATUS_FAILED
    assert (shown.error.code, shown.error.message, shown.error.attempt) == (
        "DISK_FULL",
        "no space left",
        1,
    )
    assert not shown.HasField("next_attempt_at")


async def test_an_acked_export_shows_the_number_of_the_erp(world, reader, push):
    _, export = await push()
    await world.orders.sent(reader.org_id, export)
    await world.orders.acked(reader.org_id, export)
    shown = await get(reader, export)
    assert (shown.status, shown.erp_order_id) == (export_pb2.EXPORT_STATUS_ACKED, "SO-1")
    assert shown.evidence == export_pb2.DELIVERY_EVIDENCE_RENAMED


async def test_a_held_export_says_so(world, reader, push):
    _, export = await push()
    await world.orders.held(reader.org_id, export)
    shown = await get(reader, export)
    assert shown.HasField("outcome_unknown_since")
    assert shown.staged


async def test_an_export_of_another_tenant_looks_like_one_of_nobody(world, push):
    _, export = await push()
    for error in (
        await refused(get(world.client(), export)),
        await refused(get(world.client(), uuid4())),
    ):
        assert (error.reason, error.message) == (Reason.EXPORT_NOT_FOUND, "Export not found")


async def test_a_list_shows_the_tenants_own_exports_newest_first(world, reader, push):
    exports = [(await push())[1] for _ in range(3)]
    assert ids(await list_(reader)) == exports[::-1]
    assert ids(await list_(world.client())) == []


async def test_pages_follow_each_other_without_gap_or_repeat(reader, push):
    exports = [(await push())[1] for _ in range(5)]
    seen, token = [], ""
    for expected in (2, 2, 1):
        page = await list_(reader, page_size=2, page_token=token)
        assert len(page.exports) == expected
        seen += ids(page)
        token = page.next_page_token
    assert (seen, token) == (exports[::-1], "")


async def test_pages_are_right_when_exports_were_made_in_the_same_microsecond(
    world, reader, client, approved
):
    """A batch gives all its exports one created_at; the id decides then."""
    drafts = [await approved() for _ in range(5)]
    await client.batch(*drafts)
    seen, token = [], ""
    for _ in range(3):
        page = await list_(reader, page_size=2, page_token=token)
        seen += ids(page)
        token = page.next_page_token
    assert len(set(seen)) == len(seen) == 5


@pytest.mark.parametrize("token", ["x", "bm8", "e30", "!!"])
async def test_a_token_that_was_never_given_out_is_refused(reader, token):
    error = await refused(list_(reader, page_token=token))
    assert error.reason is Reason.PAGE_TOKEN_INVALID


async def test_a_token_is_bound_to_its_filters(reader, push):
    for _ in range(2):
        await push()
    page = await list_(reader, page_size=1)
    error = await refused(list_(reader, held=True, page_token=page.next_page_token))
    assert error.reason is Reason.PAGE_TOKEN_INVALID


async def test_the_status_filter_takes_several(world, reader, push):
    (_, pending), (_, sent), (_, failed) = [await push() for _ in range(3)]
    await world.orders.sent(reader.org_id, sent)
    await world.orders.failed(reader.org_id, failed)
    page = await list_(
        reader, statuses=[export_pb2.EXPORT_STATUS_PENDING, export_pb2.EXPORT_STATUS_FAILED]
    )
    assert ids(page) == [failed, pending]


async def test_the_draft_filter_shows_every_attempt(world, reader, client, push):
    draft, first = await push()
    await push()
    await world.orders.failed(client.org_id, first)
    second = UUID((await client.retry(draft, reason="again")).erp_export_id)
    page = await list_(reader, draft_order_id=str(draft))
    assert ids(page) == [second, first]
    assert (page.exports[0].retry_of, page.exports[0].retry_reason) == (str(first), "again")


async def test_the_newest_of_a_draft_hides_the_attempts_before_it(world, reader, client, push):
    draft, first = await push()
    _, other = await push()
    await world.orders.failed(client.org_id, first)
    second = UUID((await client.retry(draft, reason="again")).erp_export_id)
    assert ids(await list_(reader, newest_of_draft=True)) == [second, other]
    page = await list_(reader, newest_of_draft=True, error_code="DISK_FULL")
    assert ids(page) == []


async def test_a_list_of_drafts_has_their_exports_only(world, reader, push):
    (one, first), _, (three, third) = [await push() for _ in range(3)]
    wanted = [str(one), str(three)]
    assert ids(await list_(reader, draft_order_ids=wanted)) == [third, first]
    assert ids(await list_(world.client(), draft_order_ids=wanted)) == []


async def test_the_held_filter_shows_unknown_outcomes(world, reader, push):
    (_, held), _ = await push(), await push()
    await world.orders.held(reader.org_id, held)
    assert ids(await list_(reader, held=True)) == [held]


async def test_stuck_means_past_due_and_past_the_lease(world, reader, push):
    """Due for ten minutes counts; leased until now-ish, due tomorrow or finished does not."""
    drafts = [await push() for _ in range(4)]
    (_, stuck), (_, leased), (_, later), (_, sent) = drafts
    change = "UPDATE push.exports SET {} WHERE id = $1"
    ago = "next_attempt_at = now() - interval '10 min'"
    for export, changes in [
        (stuck, ago),
        (leased, f"{ago}, leased_until = now() + interval '5 s', leased_by = 'w'"),
        (later, "next_attempt_at = now() + interval '1 day'"),
    ]:
        await world.orders.sql.execute(change.format(changes), export)
    await world.orders.sent(reader.org_id, sent)
    assert ids(await list_(reader, stuck_for_seconds=599)) == [stuck]
    assert ids(await list_(reader, stuck_for_seconds=660)) == []


async def test_the_time_filters_take_the_first_bound_and_leave_the_last(world, reader, push):
    _, export = await push()
    created = await world.orders.sql.fetchval("SELECT created_at FROM push.exports")
    later = created + timedelta(microseconds=1)
    assert ids(await list_(reader, created_from=at(created), created_to=at(later))) == [export]
    assert ids(await list_(reader, created_to=at(created))) == []
    assert ids(await list_(reader, created_from=at(later))) == []


@pytest.mark.parametrize("seconds", [10**12, -(10**12)])
async def test_a_time_outside_the_calendar_is_a_field_error(reader, seconds):
    error = await refused(list_(reader, created_to=Timestamp(seconds=seconds)))
    assert (error.reason, error.message) == (
        Reason.VALIDATION_FAILED,
        "created_to: must be a time in the years 1 to 9999",
    )


async def test_filters_combine(world, reader, push):
    (draft, held), (_, other) = await push(), await push()
    await world.orders.held(reader.org_id, held)
    await world.orders.held(reader.org_id, other)
    page = await list_(
        reader,
        held=True,
        draft_order_id=str(draft),
        statuses=[export_pb2.EXPORT_STATUS_PENDING],
        created_from=at(datetime(2020, 1, 1, tzinfo=UTC)),
    )
    assert ids(page) == [held]


async def test_the_preview_of_an_approved_draft_is_what_a_push_would_deliver(
    world, reader, approved
):
    draft = await approved()
    shown = await preview(reader, draft)
    document = json.loads(shown.document)
    row = await world.orders.draft(reader.org_id, draft)
    assert shown.content_sha256 == row["approved_sha256"].hex()
    assert document["draft_order_id"] == str(draft)
    assert document["lines"][0]["unit_price"] == "5.00"
    assert document["meta"]["export_id"] is None
    assert document["meta"]["created_by"] == "olga"
    assert document["meta"]["dedup_key"] == dedup_key(reader.org_id, draft)
    assert document["org_slug"] == "acme"


async def test_the_preview_of_a_pushed_draft_is_what_its_export_delivers(world, client, push):
    draft, export = await push()
    other = world.client(client.org_id, Role.VIEWER, subject="vera")
    document = json.loads((await preview(other, draft)).document)
    assert document["meta"]["export_id"] == str(export)
    assert document["meta"]["created_by"] == "olga"


async def test_the_preview_of_a_failed_draft_is_what_a_retry_would_deliver(world, client, push):
    draft, export = await push()
    await world.orders.failed(client.org_id, export)
    document = json.loads((await preview(client, draft)).document)
    assert document["meta"]["export_id"] is None
    assert document["meta"]["retry_of"] == str(export)


async def test_a_draft_that_was_approved_again_is_previewed_as_a_first_push(world, client, push):
    draft, export = await push()
    await world.orders.failed(client.org_id, export)
    await world.orders.reapprove(client.org_id, draft)
    document = json.loads((await preview(client, draft)).document)
    assert (document["meta"]["export_id"], document["meta"]["retry_of"]) == (None, None)


async def test_what_is_not_approved_has_no_preview(world, reader):
    draft = await world.orders.ready(reader.org_id)
    error = await refused(preview(reader, draft))
    assert (error.reason, error.message) == (
        Reason.WRONG_STATE,
        "Draft must be APPROVED, PUSHING, PUSHED or ERROR to preview (current: READY)",
    )
    assert error.metadata == {"current": "READY", "allowed": "APPROVED,ERROR,PUSHED,PUSHING"}


async def test_a_draft_of_another_tenant_has_no_preview(world, reader):
    draft = await world.orders.approved(uuid4())
    error = await refused(preview(reader, draft))
    assert (error.reason, error.message) == (Reason.DRAFT_NOT_FOUND, "Draft not found")


async def test_content_that_is_not_what_was_approved_has_no_preview(world, reader, approved):
    """Tampering needs the owner's rights and a dropped constraint; even then nothing leaves."""
    draft = await approved()
    await world.orders.sql.execute(
        "ALTER TABLE approval.draft_contents DROP CONSTRAINT the_digest_is_that_of_the_content"
    )
    await world.orders.sql.execute(
        "UPDATE approval.draft_contents SET content = replace(content, '5.00', '0.05')"
    )
    error = await refused(preview(reader, draft))
    assert (error.reason, error.message) == (
        Reason.CONTENT_DIGEST_MISMATCH,
        "The stored content is not the content that was approved",
    )
