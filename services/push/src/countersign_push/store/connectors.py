"""Connector plug-ins that workers announced."""

from collections.abc import Mapping
from typing import Any

from countersign_platform.database.pool import Database
from countersign_push.connector_type import ConnectorType

ANNOUNCE = """
INSERT INTO push.connectors AS c (
       connector_type, config_schema, secret_names, title, announced_by)
VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (connector_type) DO UPDATE
   SET config_schema = excluded.config_schema, secret_names = excluded.secret_names,
       title = excluded.title, announced_by = excluded.announced_by, announced_at = now()
"""

# Workers repeat themselves; who has been silent for a day has no such worker any more.
LIST = """
SELECT connector_type, config_schema, secret_names, title FROM push.connectors
 WHERE announced_at > now() - interval '1 day' ORDER BY connector_type
"""

FIND = """
SELECT connector_type, config_schema, secret_names, title FROM push.connectors
 WHERE connector_type = $1 AND announced_at > now() - interval '1 day'
"""


class ConnectorStore:
    """The installed plug-ins, as far as workers said."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def announce(self, worker_id: str, connector: ConnectorType) -> None:
        """The last word counts."""
        await self._database.execute(
            ANNOUNCE,
            connector.connector_type,
            dict(connector.config_schema),
            sorted(connector.secret_names),
            connector.title,
            worker_id,
        )

    async def find(self, connector_type: str) -> ConnectorType | None:
        """The plug-in of this type; None for a built-in connector and for an unknown one."""
        row = await self._database.fetchrow(FIND, connector_type)
        return None if row is None else _connector(row)

    async def all(self) -> list[ConnectorType]:
        """By connector_type."""
        return [_connector(row) for row in await self._database.fetch(LIST)]


def _connector(row: Mapping[str, Any]) -> ConnectorType:
    return ConnectorType(
        connector_type=row["connector_type"],
        config_schema=row["config_schema"],
        secret_names=frozenset(row["secret_names"]),
        title=row["title"],
    )
