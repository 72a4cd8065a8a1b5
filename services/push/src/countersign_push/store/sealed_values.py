"""Every sealed value of the service, for a change of the key: secrets and waiting tests."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from countersign_platform.database.pool import Database
from countersign_push.secret_box import Owner, Sealed

_BEGINNING = UUID(int=0)

_SECRETS = """
SELECT org_id, id, id AS connection_id, secrets AS data, secrets_key_id AS key_id
  FROM push.erp_connections
 WHERE secrets IS NOT NULL"""

# Nobody opens a test that is over or that nobody waits for any more.
_TESTS = """
SELECT org_id, id, connection_id, access AS data, access_key_id AS key_id
  FROM push.connection_tests
 WHERE finished_at IS NULL AND expires_at > now()"""

_NEXT = " AND {key} <> $1 AND (org_id, id) > ($2, $3) ORDER BY org_id, id LIMIT $4"

# The bytes are the version: a nonce makes every sealing of the same secrets differ.
_REPLACE_SECRETS = """
UPDATE push.erp_connections SET secrets = $4, secrets_key_id = $5
 WHERE org_id = $1 AND id = $2 AND secrets = $3
"""

_REPLACE_TEST = """
UPDATE push.connection_tests SET access = $4, access_key_id = $5
 WHERE org_id = $1 AND id = $2 AND access = $3 AND finished_at IS NULL
"""

COUNT_BY_KEY = f"""
SELECT key_id, count(*) AS values FROM ({_SECRETS} UNION ALL {_TESTS}) sealed
 GROUP BY key_id ORDER BY key_id
"""


class Kind(StrEnum):
    """Where a sealed value stands."""

    SECRETS = "erp_connection"
    TEST = "connection_test"


_READ = {
    Kind.SECRETS: _SECRETS + _NEXT.format(key="secrets_key_id"),
    Kind.TEST: _TESTS + _NEXT.format(key="access_key_id"),
}
_REPLACE = {Kind.SECRETS: _REPLACE_SECRETS, Kind.TEST: _REPLACE_TEST}


@dataclass(frozen=True, slots=True)
class SealedValue:
    """One sealed value, where it stands and whom it opens for."""

    kind: Kind
    id: UUID
    owner: Owner
    sealed: Sealed


class SealedValueStore:
    """Sealed values of every org. Versions and `updated_at` are never touched."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def not_under(
        self, key_id: str, kind: Kind, after: SealedValue | None, limit: int
    ) -> list[SealedValue]:
        """The next `limit` values that another key seals, in order, behind `after`."""
        org_id = _BEGINNING if after is None else after.owner.org_id
        row_id = _BEGINNING if after is None else after.id
        rows = await self._database.fetch(_READ[kind], key_id, org_id, row_id, limit)
        return [_value(kind, row) for row in rows]

    async def replace(self, value: SealedValue, anew: Sealed) -> bool:
        """Put `anew` in its place; False when somebody else changed or finished it first."""
        tag = await self._database.execute(
            _REPLACE[value.kind],
            value.owner.org_id,
            value.id,
            value.sealed.data,
            anew.data,
            anew.key_id,
        )
        return tag == "UPDATE 1"

    async def count_by_key(self) -> dict[str, int]:
        """How many values each key seals, by its id."""
        return {row["key_id"]: row["values"] for row in await self._database.fetch(COUNT_BY_KEY)}


def _value(kind: Kind, row: Mapping[str, Any]) -> SealedValue:
    return SealedValue(
        kind,
        row["id"],
        Owner(row["org_id"], row["connection_id"]),
        Sealed(row["key_id"], row["data"]),
    )
