"""The org's approval policy."""

from collections.abc import Mapping
from decimal import Decimal
from uuid import UUID

from countersign_approval.acts import Act
from countersign_platform.database.pool import Database

READ = "SELECT four_eyes_above FROM approval.approval_policies WHERE org_id = $1"

# $2 is what was seen, $3 what shall be; NULL is off. Whoever changed it meanwhile wins.
REPLACE = """
WITH cleared AS (
    DELETE FROM approval.approval_policies
     WHERE org_id = $1 AND four_eyes_above = $2::numeric AND $3::numeric IS NULL
    RETURNING true
), written AS (
    INSERT INTO approval.approval_policies AS p (org_id, four_eyes_above)
    SELECT $1, $3::numeric WHERE $3::numeric IS NOT NULL
        ON CONFLICT (org_id) DO UPDATE SET four_eyes_above = excluded.four_eyes_above
     WHERE p.four_eyes_above = $2::numeric
    RETURNING true
), changed AS (
    SELECT FROM cleared UNION ALL SELECT FROM written
), told AS (
    INSERT INTO approval.outbox (org_id, id, lane, payload, headers)
    SELECT $1, $4, 'audit', $5, $6 FROM changed
)
SELECT count(*) = 1 FROM changed
"""


class PolicyStore:
    """One policy per org, or none."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, org_id: UUID) -> Decimal | None:
        """The four-eyes threshold; None when it is off."""
        threshold: Decimal | None = await self._database.fetchval(READ, org_id)
        return threshold

    async def replace(
        self,
        org_id: UUID,
        *,
        seen: Decimal | None,
        threshold: Decimal | None,
        act: Act,
        headers: Mapping[str, str],
    ) -> bool:
        """Sets another threshold than `seen`; False when it is not `seen` any more."""
        return bool(
            await self._database.fetchval(
                REPLACE, org_id, seen, threshold, act.id, act.payload, dict(headers)
            )
        )
