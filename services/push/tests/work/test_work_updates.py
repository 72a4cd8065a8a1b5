"""What a claim and a token on record write: the row, and no entries of its indexes."""

from uuid import uuid4

import pytest

from countersign_push.store.reports import STAGED
from countersign_push.store.work import CLAIM_NEXT

pytestmark = pytest.mark.integration

EXPORTS = 40
# Of this session; `hot` ones wrote no index entry.
UPDATES = """
SELECT pg_stat_get_xact_tuples_updated('push.exports'::regclass) AS updates,
       pg_stat_get_xact_tuples_hot_updated('push.exports'::regclass) AS hot
"""


async def test_claims_and_tokens_write_hardly_an_index_entry(queue):
    """Exports that came together lie on the same pages; each page has room for a claim of all.

    Whether the room of the versions before is free again depends on who else looks at them.
    """
    org = uuid4()
    await queue.pending(org, await queue.connection(org), EXPORTS)
    rows = await queue.sql.fetch(CLAIM_NEXT, "w1", 30.0, uuid4(), uuid4(), EXPORTS, [], [], EXPORTS)
    assert len(rows) == EXPORTS
    async with queue.sql.transaction():
        before = await queue.sql.fetchrow(UPDATES)
        for row in rows:
            token = f".{row['id']}.tmp"
            assert await queue.sql.fetchval(STAGED, org, row["id"], 1, token, b"\xab" * 32)
        after = await queue.sql.fetchrow(UPDATES)
    assert after["updates"] - before["updates"] == EXPORTS
    assert after["hot"] - before["hot"] >= EXPORTS / 2


async def test_claims_of_whole_pages_write_no_index_entry(queue):
    org = uuid4()
    await queue.pending(org, await queue.connection(org), EXPORTS)
    async with queue.sql.transaction():
        before = await queue.sql.fetchrow(UPDATES)
        await queue.sql.fetch(CLAIM_NEXT, "w1", 30.0, uuid4(), uuid4(), EXPORTS, [], [], EXPORTS)
        after = await queue.sql.fetchrow(UPDATES)
    assert after["updates"] - before["updates"] == EXPORTS
    assert after["hot"] - before["hot"] == EXPORTS
