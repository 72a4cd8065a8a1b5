"""Connectors as the worker uses them: guarded, one breaker per connection."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import UUID

from countersign_export_worker.assignment import ConnectionAccess
from countersign_export_worker.connectors.breaker import Breaker
from countersign_export_worker.connectors.guarded import GuardedConnector
from countersign_export_worker.connectors.registry import ConnectorRegistry
from countersign_export_worker.ports import ErpConnectorPort


class Connectors:
    """The way to a connection's dropzone."""

    def __init__(
        self, registry: ConnectorRegistry, *, clock: Callable[[], float], seconds: float
    ) -> None:
        """`seconds` for each call of a connector; `clock` answers monotonic seconds."""
        self._registry = registry
        self._clock = clock
        self._seconds = seconds
        self._breakers: dict[UUID, Breaker] = {}

    def reach(self, access: ConnectionAccess, *, insist: bool = False) -> ErpConnectorPort:
        """The connector of a saved connection; `insist` tries it though its server seems dead."""
        return GuardedConnector(
            lambda: self._registry.connector_for(access),
            breaker=self._breakers.setdefault(access.id, Breaker(self._clock)),
            seconds=self._seconds,
            insist=insist,
        )

    @asynccontextmanager
    async def open_once(self, access: ConnectionAccess) -> AsyncIterator[ErpConnectorPort]:
        """A connector for this block alone, for settings that may not be saved yet."""
        opened: list[ErpConnectorPort] = []

        def open_first() -> ErpConnectorPort:
            if not opened:
                opened.append(self._registry.open(access))
            return opened[0]

        try:
            yield GuardedConnector(open_first, breaker=Breaker(self._clock), seconds=self._seconds)
        finally:
            for connector in opened:
                await connector.aclose()
