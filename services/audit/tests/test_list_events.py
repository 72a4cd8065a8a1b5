"""List: paging and what filters are refused."""

import pytest

from countersign_audit.commands.list_events import DEFAULT_PAGE_SIZE, PAGE_CHARACTERS, ListEvents
from countersign_audit.memory_trail import MemoryTrail
from countersign_audit.ports import EventFilters
from countersign_core.errors import CountersignError, InvalidRequest
from countersign_core.reasons import Reason


@pytest.fixture
async def trail(make_event) -> MemoryTrail:
    trail = MemoryTrail()
    await trail.append([make_event() for _ in range(DEFAULT_PAGE_SIZE + 10)])
    return trail


async def test_pages_neither_repeat_nor_skip_while_events_arrive(trail, org_id, make_event):
    list_events = ListEvents(trail)
    seen, token = [], ""
    while True:
        page = await list_events(org_id, EventFilters(), 7, token)
        seen += [link.seq for link in page.links]
        await trail.append([make_event()])
        token = page.next_page_token
        if not token:
            break
    assert seen == list(range(DEFAULT_PAGE_SIZE + 10, 0, -1))


async def test_no_size_means_fifty(trail, org_id):
    page = await ListEvents(trail)(org_id, EventFilters(), 0, "")
    assert len(page.links) == DEFAULT_PAGE_SIZE


async def test_a_full_last_page_has_no_token(trail, org_id):
    page = await ListEvents(trail)(org_id, EventFilters(), DEFAULT_PAGE_SIZE + 10, "")
    assert page.next_page_token == ""


async def test_a_page_of_large_events_ends_early_and_goes_on(org_id, make_event):
    """A page must fit into one message; even one event that is too large alone is shown."""
    trail = MemoryTrail()
    large = '{"a":"' + "x" * (PAGE_CHARACTERS // 2) + '"}'
    await trail.append([make_event(before_json=large, after_json=large), make_event()])
    await trail.append([make_event(before_json=large), make_event(after_json=large)])
    list_events, pages, token = ListEvents(trail), [], ""
    while not pages or token:
        page = await list_events(org_id, EventFilters(), 100, token)
        pages.append([link.seq for link in page.links])
        token = page.next_page_token
    assert pages == [[4], [3, 2], [1]]


async def test_a_token_is_bound_to_its_filters(trail, org_id):
    list_events = ListEvents(trail)
    page = await list_events(org_id, EventFilters(), 5, "")
    with pytest.raises(CountersignError) as refusal:
        await list_events(org_id, EventFilters(actor_user_id="user-1"), 5, page.next_page_token)
    assert refusal.value.reason is Reason.PAGE_TOKEN_INVALID


async def test_the_order_of_actions_does_not_matter_to_a_token(trail, org_id):
    list_events = ListEvents(trail)
    filters = EventFilters(actions=("DRAFT_PUSHED", "DRAFT_APPROVED"))
    page = await list_events(org_id, filters, 5, "")
    turned = EventFilters(actions=("DRAFT_APPROVED", "DRAFT_PUSHED"))
    assert (await list_events(org_id, turned, 5, page.next_page_token)).links[0].seq == 55


@pytest.mark.parametrize(
    ("filters", "named"),
    [
        (EventFilters(actions=("DRAFT_APPROVED", "DRAFT_APROVED")), "actions[1]"),
        (EventFilters(entity_type="draft_order"), "entity_id"),
        (EventFilters(entity_id="x"), "entity_type"),
        (EventFilters(request_id="a\0"), "request_id"),
    ],
)
async def test_a_filter_that_is_a_mistake_is_refused(trail, org_id, filters, named):
    """An empty page would read as "nobody did that"."""
    with pytest.raises(InvalidRequest) as refusal:
        await ListEvents(trail)(org_id, filters, 0, "")
    assert [error.field for error in refusal.value.field_errors] == [named]
