"""Lists: every filter, and pages that stay put while drafts come in."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from countersign.approval.v1 import approval_service_pb2 as pb
from countersign.approval.v1 import draft_pb2
from countersign_approval.draft_filters import DraftFilters, DraftPosition
from countersign_approval.store.listing import ListingStore
from countersign_platform.database.pool import Database

pytestmark = pytest.mark.integration


def stamp(moment: datetime) -> Timestamp:
    found = Timestamp()
    found.FromDatetime(moment)
    return found


def refs(page) -> list[str]:
    return [draft.external_ref for draft in page.drafts]


async def all_pages(person, size: int, **filters) -> list[str]:
    found, token = [], ""
    while True:
        page = await person.list(page_size=size, page_token=token, **filters)
        assert len(page.drafts) <= size
        found += refs(page)
        token = page.next_page_token
        if not token:
            return found


async def test_a_row_shows_what_the_draft_says(olga, make):
    draft = await olga.submit("ref-1", content=make.content(make.line(), make.line(2, uom="")))
    (row,) = (await olga.list()).drafts
    assert row == draft_pb2.DraftSummary(
        id=draft.id,
        external_ref="ref-1",
        status=draft_pb2.DRAFT_STATUS_NEEDS_REVIEW,
        version=1,
        customer_name="Müller & Söhne",
        erp_customer_number="10042",
        external_order_number="PO-1",
        order_date="2026-03-01",
        currency="EUR",
        total_value="16.60",
        line_count=2,
        blocking_reasons=draft.blocking_reasons,
        created_at=draft.created_at,
        updated_at=draft.updated_at,
        last_edited_by_user_id="olga",
    )


async def test_a_row_of_an_empty_draft_is_empty(olga, make):
    await olga.submit(content=make.empty())
    (row,) = (await olga.list()).drafts
    assert (row.customer_name, row.order_date, row.total_value) == ("", "", "0")


async def test_a_row_follows_edits_and_approvals(olga, make):
    draft = await olga.submit()
    await olga.edit(
        draft.id,
        content=make.content(make.line(qty="3"), order_date="2026-04-05"),
        update_mask=make.mask("lines", "header.order_date"),
    )
    await olga.approve(draft.id)
    (row,) = (await olga.list()).drafts
    assert (row.total_value, row.order_date, row.version) == ("12.45", "2026-04-05", 3)
    assert (row.status, row.approved_by_user_id) == (draft_pb2.DRAFT_STATUS_APPROVED, "olga")


async def test_pages_hold_every_draft_once_newest_first(olga):
    for number in range(7):
        await olga.submit(f"ref-{number}")
    for size in (1, 2, 3, 7, 500):
        assert await all_pages(olga, size) == [f"ref-{number}" for number in reversed(range(7))]


async def test_a_page_of_no_size_has_fifty(olga):
    for number in range(51):
        await olga.submit(f"ref-{number}")
    page = await olga.list()
    assert len(page.drafts) == 50
    assert len((await olga.list(page_token=page.next_page_token)).drafts) == 1


async def test_paging_is_stable_while_drafts_come_in(olga):
    for number in range(6):
        await olga.submit(f"old-{number}")
    first = await olga.list(page_size=2)
    found, token = refs(first), first.next_page_token
    for number in range(2):
        await olga.submit(f"new-{number}")
        page = await olga.list(page_size=2, page_token=token)
        found += refs(page)
        token = page.next_page_token
    assert found == [f"old-{number}" for number in reversed(range(6))]
    assert token == ""


async def test_drafts_of_one_moment_are_told_apart_by_id(olga, rows):
    for number in range(5):
        await olga.submit(f"ref-{number}")
    await rows.owner.execute("UPDATE approval.draft_orders SET created_at = '2026-01-01 10:00+00'")
    assert sorted(await all_pages(olga, 2)) == [f"ref-{number}" for number in range(5)]


@pytest.fixture
async def drafts(olga, make, rows):
    """Four drafts that differ in everything that can be filtered by."""
    kinds = [
        ("web-1", "10042", "Spaceboy Gifts Ltd", "PO-77_1", "2026-03-01"),
        ("web-2", "10043", "Doorstop & Söhne", "PO-7781", "2026-03-02"),
        ("mail-3", "99", "100% Gifts", "4500012", ""),
        ("mail-4", "", "", "web-9", "2026-05-01"),
    ]
    for day, (ref, number, name, order, order_date) in enumerate(kinds, 1):
        content = make.content(external_order_number=order, order_date=order_date)
        content.customer.CopyFrom(draft_pb2.Customer(erp_customer_number=number, name=name))
        draft = await olga.submit(ref, content=content)
        await rows.owner.execute(
            "UPDATE approval.draft_orders SET created_at = $2 WHERE id = $1",
            *(UUID(draft.id), datetime(2026, 6, day, tzinfo=UTC)),
        )
        if ref == "web-2":
            await olga.approve(draft.id)


READY, APPROVED, REVIEW = (
    draft_pb2.DRAFT_STATUS_READY,
    draft_pb2.DRAFT_STATUS_APPROVED,
    draft_pb2.DRAFT_STATUS_NEEDS_REVIEW,
)


FILTERS = [
    ({}, ["mail-4", "mail-3", "web-2", "web-1"]),
    ({"statuses": [READY]}, ["mail-3", "web-1"]),
    ({"statuses": [APPROVED, REVIEW]}, ["mail-4", "web-2"]),
    ({"statuses": [draft_pb2.DRAFT_STATUS_PUSHED]}, []),
    ({"customer": "10042"}, ["web-1"]),
    ({"customer": "1004"}, []),
    ({"customer": "gifts"}, ["mail-3", "web-1"]),
    ({"customer": " SÖHNE "}, ["web-2"]),
    ({"customer": "100%"}, ["mail-3"]),
    ({"customer": "0_ G"}, []),
    ({"q": "web-"}, ["mail-4", "web-2", "web-1"]),
    ({"q": "WEB-1"}, ["web-1"]),
    ({"q": "po-77"}, ["web-2", "web-1"]),
    ({"q": "PO-77_"}, ["web-1"]),
    ({"q": "O-77"}, []),
    ({"q": "stop"}, ["web-2"]),
    ({"created_from": stamp(datetime(2026, 6, 2, tzinfo=UTC))}, ["mail-4", "mail-3", "web-2"]),
    ({"created_to": stamp(datetime(2026, 6, 2, tzinfo=UTC))}, ["web-1"]),
    ({"order_date_from": "2026-03-02"}, ["mail-4", "web-2"]),
    ({"order_date_to": "2026-03-02"}, ["web-2", "web-1"]),
    ({"order_date_from": "2026-03-01", "order_date_to": "2026-03-01"}, ["web-1"]),
    ({"statuses": [READY], "q": "web", "customer": "gifts"}, ["web-1"]),
]


async def test_filters_combine_with_and(olga, drafts):
    for filters, found in FILTERS:
        assert refs(await olga.list(**filters)) == found, filters
        assert await all_pages(olga, 1, **filters) == found, filters


async def test_a_page_token_is_bound_to_filters_and_org(olga, refused):
    for _ in range(3):
        await olga.submit()
    token = (await olga.list(page_size=1, q="ref")).next_page_token
    assert len((await olga.list(page_size=2, q="ref", page_token=token)).drafts) == 2
    others = [
        olga.list(page_token=token),
        olga.list(q="ref", statuses=[READY], page_token=token),
        olga.list(q="ref", created_from=stamp(datetime.now(UTC)), page_token=token),
        olga.elsewhere().list(q="ref", page_token=token),
        olga.list(q="ref", page_token=token[:-4]),
        olga.list(q="ref", page_token="nonsense"),
    ]
    for call in others:
        refusal = await refused(call)
        assert (refusal.reason, refusal.code) == ("PAGE_TOKEN_INVALID", "INVALID_ARGUMENT")


MALFORMED = [
    ({"order_date_from": "2026-02-30"}, "order_date_from"),
    ({"order_date_to": "March"}, "order_date_to"),
    ({"q": "\0"}, "q"),
    ({"page_size": 501}, "page_size"),
    ({"draft_order_ids": ["7"]}, "draft_order_ids[0]"),
    ({"sort": 99}, "sort"),
    ({"statuses": [0]}, "statuses[0]"),
]


async def test_malformed_filters_are_named(olga, refused):
    for filters, field in MALFORMED:
        refusal = await refused(olga.list(**filters))
        assert (refusal.reason, refusal.fields) == ("VALIDATION_FAILED", [field])


async def test_a_list_reads_an_index_that_its_org_leads(olga, rows, databases):
    """With many orgs in the table, one org's page touches its own entries only."""
    await rows.owner.execute(
        "INSERT INTO approval.draft_orders (org_id, id, external_ref, status, content_sha256,"
        " submission_sha256, total_value, line_count, created_by, last_edited_by)"
        " SELECT md5((n % 200)::text)::uuid, gen_random_uuid(), n::text, 'NEW', '', '', 0, 0, '', ''"
        " FROM generate_series(1, 20000) n"
    )
    await rows.owner.execute("ANALYZE approval.draft_orders")
    seen = []

    class Explaining(Database):
        async def fetch(self, sql, *arguments):
            seen.append(await super().fetch("EXPLAIN " + sql, *arguments))
            return []

    database = await Explaining.connect(databases.url_for("approval"), "explain")
    org_id = await rows.owner.fetchval("SELECT md5('7')::uuid")
    after = DraftPosition(datetime.now(UTC) + timedelta(days=1), org_id)
    store = ListingStore(database)
    await store.page(org_id, DraftFilters(), after, 51)
    await store.page(org_id, DraftFilters(statuses=("READY",)), after, 51)
    await database.close()
    for rows_of_plan, index in zip(
        seen, ["drafts_newest_first", "drafts_by_status_newest_first"], strict=True
    ):
        plan = "\n".join(row[0] for row in rows_of_plan)
        assert "Seq Scan" not in plan
        assert index in plan


@pytest.fixture
async def sortable(olga, make, rows):
    """Five drafts whose values, days and names stand in different orders; two lack one."""
    kinds = [
        ("one", "Beta", "3", "2026-03-05"),
        ("two", "", "10", "2026-03-01"),
        ("three", "Alpha", "10.5", ""),
        ("four", "Delta", "3", "2026-03-09"),
        ("five", "Alpha", "0.5", "2026-03-02"),
    ]
    for ref, name, qty, order_date in kinds:
        content = make.content(make.line(qty=qty, unit_price="1"), order_date=order_date)
        content.customer.CopyFrom(draft_pb2.Customer(erp_customer_number="1", name=name))
        await olga.submit(ref, content=content)
    await rows.owner.execute(
        "UPDATE approval.draft_orders SET updated_at = created_at + interval '1 hour'"
        " WHERE external_ref = 'two'"
    )
    return {row.external_ref: row.id for row in (await olga.list()).drafts}


SORTS = [
    ("NEWEST", ["five", "four", "three", "two", "one"]),
    ("OLDEST", ["one", "two", "three", "four", "five"]),
    ("LAST_CHANGED", ["two", "five", "four", "three", "one"]),
    ("LONGEST_UNCHANGED", ["one", "three", "four", "five", "two"]),
    ("HIGHEST_VALUE", ["three", "two", {"one", "four"}, "five"]),
    ("LOWEST_VALUE", ["five", {"one", "four"}, "two", "three"]),
    ("LATEST_ORDER", ["four", "one", "five", "two", "three"]),
    ("EARLIEST_ORDER", ["three", "two", "five", "one", "four"]),
    ("CUSTOMER", ["two", {"three", "five"}, "one", "four"]),
    ("CUSTOMER_REVERSED", ["four", "one", {"three", "five"}, "two"]),
]


def by_id(ids: dict[str, str], expected: list, *, descending: bool) -> list[str]:
    """The expected order, ties put in the order of their ids."""
    found: list[str] = []
    for each in expected:
        tied = each if isinstance(each, set) else {each}
        found += sorted(tied, key=ids.__getitem__, reverse=descending)
    return found


DESCENDING = {"NEWEST", "LAST_CHANGED", "HIGHEST_VALUE", "LATEST_ORDER", "CUSTOMER_REVERSED"}


@pytest.mark.parametrize(("name", "expected"), SORTS)
async def test_every_sort_pages_through_every_draft_once(olga, sortable, name, expected):
    sort = pb.DraftSort.Value(f"DRAFT_SORT_{name}")
    ordered = by_id(sortable, expected, descending=name in DESCENDING)
    for size in (1, 2, 500):
        assert await all_pages(olga, size, sort=sort) == ordered, size


async def test_a_page_token_is_bound_to_its_sort(olga, sortable, refused):
    page = await olga.list(page_size=1, sort=pb.DRAFT_SORT_HIGHEST_VALUE)
    other = olga.list(page_token=page.next_page_token, sort=pb.DRAFT_SORT_LOWEST_VALUE)
    assert (await refused(other)).reason == "PAGE_TOKEN_INVALID"


async def test_a_list_of_ids_has_those_of_the_org_only(olga, sortable):
    wanted = [sortable["one"], sortable["four"]]
    assert refs(await olga.list(draft_order_ids=wanted)) == ["four", "one"]
    assert refs(await olga.elsewhere().list(draft_order_ids=wanted)) == []


async def test_counts_name_every_status_and_follow_the_filters(olga, drafts):
    counts = await olga.count()
    assert len(counts) == 9
    assert {status: count for status, (count, _) in counts.items() if count} == {
        "READY": 2,
        "APPROVED": 1,
        "NEEDS_REVIEW": 1,
    }
    narrowed = await olga.count(q="web", order_date_to="2026-03-31")
    assert {status: count for status, (count, _) in narrowed.items() if count} == {
        "READY": 1,
        "APPROVED": 1,
    }
    assert not any(count for count, _ in (await olga.elsewhere().count()).values())


async def test_a_count_stops_at_ten_thousand_and_says_so(olga, rows):
    draft = await olga.submit()
    org_id = await rows.owner.fetchval(
        "SELECT org_id FROM approval.draft_orders WHERE id = $1", UUID(draft.id)
    )
    await rows.owner.execute(
        "INSERT INTO approval.draft_orders (org_id, id, external_ref, status, content_sha256,"
        " submission_sha256, total_value, line_count, created_by, last_edited_by)"
        " SELECT $1, gen_random_uuid(), n::text, 'NEW', '', '', 0, 0, '', ''"
        " FROM generate_series(1, 10001) n",
        org_id,
    )
    counts = await olga.count()
    assert (counts["NEW"], counts["READY"]) == ((10_000, True), (1, False))
