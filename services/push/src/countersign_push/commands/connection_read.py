"""Reads of ERP connections, for people and for workers."""

from uuid import UUID

import structlog

from countersign_core.errors import NotFound
from countersign_core.reasons import Reason
from countersign_push.assignment import ConnectionAccess
from countersign_push.commands.assign import open_access
from countersign_push.connection import Connection
from countersign_push.secret_box import KeyRing, SecretsUnreadable
from countersign_push.store.connections import ConnectionStore

_log = structlog.get_logger()


class ReadConnections:
    """Connections of one org, without their secrets."""

    def __init__(self, store: ConnectionStore) -> None:
        self._store = store

    async def one(self, org_id: UUID, connection_id: UUID) -> Connection:
        """One connection.

        Raises:
            NotFound: CONNECTION_NOT_FOUND.
        """
        connection = await self._store.read(org_id, connection_id)
        if connection is None:
            raise NotFound(Reason.CONNECTION_NOT_FOUND, "ERP connection not found")
        return connection

    async def all(self, org_id: UUID) -> list[Connection]:
        """All of them, newest first."""
        return await self._store.all(org_id)


class ListDropzones:
    """Connections of every org that may hold files of ours, secrets open."""

    def __init__(self, store: ConnectionStore, keys: KeyRing) -> None:
        self._store = store
        self._keys = keys

    async def __call__(self) -> list[ConnectionAccess]:
        """Those whose secrets open; one that does not must not hide the others."""
        accesses = []
        for connection in await self._store.dropzones():
            try:
                accesses.append(open_access(connection, self._keys))
            except SecretsUnreadable as error:
                _log.warning(
                    "connection_secrets_unreadable",
                    connection_id=str(connection.id),
                    problem=str(error),
                )
        return accesses
