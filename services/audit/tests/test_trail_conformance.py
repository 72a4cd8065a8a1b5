"""What commands may rely on, of the store and of its twin in memory alike."""

from datetime import timedelta

import pytest

from countersign_audit.chain import GENESIS_HASH, link_hash, row_of
from countersign_audit.event import Event, Head
from countersign_audit.memory_trail import MemoryTrail
from countersign_audit.ports import EventFilters, Extent

BOTH = ["memory", pytest.param("postgres", marks=pytest.mark.integration)]


@pytest.fixture(params=BOTH)
def trail(request):
    return MemoryTrail() if request.param == "memory" else request.getfixturevalue("store")


async def test_events_are_chained_in_the_order_given(trail, org_id, make_event):
    events = [make_event() for _ in range(5)]
    assert await trail.append(events[:2]) == {"DRAFT_APPROVED": 2}
    assert await trail.append(events[2:]) == {"DRAFT_APPROVED": 3}
    links = await trail.links(org_id, 1, 5)
    assert [link.event for link in links] == events
    assert [link.seq for link in links] == [1, 2, 3, 4, 5]
    before = GENESIS_HASH
    for link in links:
        assert (link.prev_hash, link.hash) == (before, link_hash(before, link.event, link.seq))
        before = link.hash
    assert await trail.extent(org_id) == Extent(Head(5, before), None)


async def test_rows_are_the_links_in_bulk(trail, org_id, make_event):
    await trail.append([make_event(actor_user_id="Zoë"), make_event()])
    rows = [tuple(row) for row in await trail.rows(org_id, 1, 9)]
    assert rows == [row_of(link) for link in await trail.links(org_id, 1, 9)]


async def test_known_events_are_left_alone(trail, org_id, make_event):
    old, new = make_event(), make_event(action="DRAFT_PUSHED")
    await trail.append([old])
    assert await trail.append([old, new, new]) == {"DRAFT_PUSHED": 1}
    assert await trail.append([new, old]) == {}
    assert [link.event for link in await trail.links(org_id, 1, 9)] == [old, new]


async def test_an_id_is_known_per_org(trail, make_event, org_id):
    mine = make_event()
    theirs = Event(**{**_fields(mine), "org_id": make_event().event_id})
    assert await trail.append([mine, theirs]) == {"DRAFT_APPROVED": 2}
    assert (await trail.links(theirs.org_id, 1, 9))[0].event == theirs


async def test_an_org_without_events_is_empty(trail, org_id):
    assert await trail.extent(org_id) == Extent(Head(0, GENESIS_HASH), None)
    assert list(await trail.links(org_id, 1, 10)) == []
    assert list(await trail.page(org_id, EventFilters(), None, 10)) == []


async def test_a_page_is_newest_first_below_a_seq(trail, org_id, make_event):
    await trail.append([make_event() for _ in range(6)])
    page = await trail.page(org_id, EventFilters(), 5, 3)
    assert [link.seq for link in page] == [4, 3, 2]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"actions": ("DRAFT_PUSHED",)}, [3]),
        ({"actions": ("DRAFT_PUSHED", "EXPORT_ACKED")}, [5, 3]),
        ({"draft_order_id": "draft-a"}, [3, 2]),
        ({"entity_type": "erp_export", "entity_id": "export-a"}, [5]),
        ({"actor_user_id": "ann"}, [4, 2]),
        ({"request_id": "r-9"}, [4]),
        ({"occurred_from": 3}, [5, 4, 3]),
        ({"occurred_to": 3}, [2, 1]),
        ({"occurred_from": 2, "occurred_to": 4, "actor_user_id": "ann"}, [2]),
        ({"draft_order_id": "draft-a", "actions": ("DRAFT_APPROVED",)}, [2]),
        ({"draft_order_id": "nobody's"}, []),
    ],
)
async def test_each_filter_picks_its_events(trail, org_id, make_event, filters, expected):
    start = make_event().occurred_at
    moments = {name: value for name, value in filters.items() if name.startswith("occurred_")}
    shifted = {name: start + timedelta(hours=hours) for name, hours in moments.items()}

    def event(hour, **fields):
        return make_event(occurred_at=start + timedelta(hours=hour), **fields)

    export = {"entity_type": "erp_export", "entity_id": "export-a", "draft_order_id": ""}
    await trail.append(
        [
            event(1),
            event(2, draft_order_id="draft-a", actor_user_id="ann"),
            event(3, draft_order_id="draft-a", action="DRAFT_PUSHED"),
            event(4, actor_user_id="ann", request_id="r-9"),
            event(5, action="EXPORT_ACKED", actor_user_id="", **export),
        ]
    )
    page = await trail.page(org_id, EventFilters(**{**filters, **shifted}), None, 10)
    assert [link.seq for link in page] == expected


def _fields(event):
    return {name: getattr(event, name) for name in Event.__slots__}
