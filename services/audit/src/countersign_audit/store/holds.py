"""Legal holds."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from countersign_audit.event import Event
from countersign_audit.ports import Hold
from countersign_audit.store.trail import APPEND, columns_of
from countersign_platform.database.pool import Database

_HOLD = """
SELECT held, reason, changed_by, changed_at FROM audit.legal_holds
 WHERE org_id = $1 ORDER BY number DESC LIMIT 1
"""

_CHANGE = """
SELECT audit.set_legal_hold($1, $2, $3, $4) AS number, clock_timestamp() AS now
"""


class HoldStore:
    """A ports.Holds in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def hold(self, org_id: UUID) -> Hold:
        """As ports.Holds."""
        row = await self._database.fetchrow(_HOLD, org_id)
        return Hold() if row is None else Hold(**dict(row))

    async def change(self, org_id: UUID, hold: Hold, act: Callable[[int, datetime], Event]) -> Hold:
        """As ports.Holds."""
        async with self._database.transaction() as connection:
            arguments = (org_id, hold.held, hold.reason, hold.changed_by)
            changed = await connection.fetchrow(_CHANGE, *arguments)
            if changed["number"] is not None:
                event = act(changed["number"], changed["now"])
                await connection.fetch(APPEND, *columns_of([event]))
        return await self.hold(org_id)
