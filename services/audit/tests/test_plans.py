"""A draft's trail is read at every look at the draft: its plan is made once."""

import pytest

from countersign_audit.ports import EventFilters
from countersign_audit.store.trail import Store
from countersign_platform.database.pool import Database

pytestmark = pytest.mark.integration

# PostgreSQL compares five plans for the very values before it keeps one for all.
_COMPARED = 5


@pytest.mark.parametrize(
    "filters",
    [
        EventFilters(),
        EventFilters(draft_order_id="draft-1"),
        EventFilters(actor_user_id="user-1"),
        EventFilters(request_id="request-1"),
    ],
)
async def test_the_plan_of_a_page_is_kept(databases, owner, store, org_id, make_event, filters):
    for number in range(40):
        await store.append([make_event(draft_order_id=f"draft-{number % 20}") for _ in range(50)])
    await owner.execute("ANALYZE audit.events")
    alone = await Database.connect(databases.url_for("audit"), "audit-plans", pool_size=1)
    try:
        for _ in range(_COMPARED * 2):
            await Store(alone).page(org_id, filters, None, 50)
        (kept,) = await alone.fetch(
            "SELECT generic_plans, custom_plans FROM pg_prepared_statements"
            " WHERE statement LIKE 'SELECT audit.events.%'"
        )
    finally:
        await alone.close()
    assert (kept["generic_plans"], kept["custom_plans"]) == (_COMPARED, _COMPARED)
