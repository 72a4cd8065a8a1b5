"""What becomes of the zones of a round that is over."""

from collections.abc import Sequence

import asyncpg

from countersign_chaos.zones.zone import Zone

# A connection that was switched off is looked after for a day; a run has no day to wait.
_LONG_AGO = """
UPDATE push.erp_connections
   SET status = 'DISABLED', updated_at = now() - interval '1 month', ack_poll_due_at = 'infinity'
 WHERE org_id = ANY($1::uuid[])
"""


async def retire_zones(owner_url: str, zones: Sequence[Zone]) -> None:
    """As if their orgs had left long ago: workers have nothing to look for there any more.

    Else a run would have more dropzones with every round, and workers more to do.
    """
    owner = await asyncpg.connect(owner_url)
    try:
        await owner.execute(_LONG_AGO, [zone.org for zone in zones])
    finally:
        await owner.close()
