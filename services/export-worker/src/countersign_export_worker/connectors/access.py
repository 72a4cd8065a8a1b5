"""Connectors as the worker uses them: guarded, one breaker per connection."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from uuid import UUID

from countersign_export_worker.assignment import ConnectionAccess
from countersign_export_worker.connectors.breaker import Breaker, BreakerState
from countersign_export_worker.connectors.guarded import GuardedConnector
from countersign_export_worker.connectors.registry import ConnectorRegistry
from countersign_export_worker.ports import AnyConnector, DeliveryPort

# Called with the connection, its breaker's new state, and the failure's code and message.
OnBreaker = Callable[[ConnectionAccess, BreakerState, str, str], None]


def _unheard(access: ConnectionAccess, state: BreakerState, code: str, message: str) -> None:
    del access, state, code, message


class Connectors:
    """The way to a connection's dropzone."""

    def __init__(
        self,
        registry: ConnectorRegistry,
        *,
        clock: Callable[[], float],
        seconds: float,
        on_breaker: OnBreaker = _unheard,
    ) -> None:
        """`seconds` for each call of a connector; `clock` answers monotonic seconds."""
        self._registry = registry
        self._clock = clock
        self._seconds = seconds
        self._on_breaker = on_breaker
        self._breakers: dict[UUID, Breaker] = {}

    def reach(self, access: ConnectionAccess, *, insist: bool = False) -> DeliveryPort:
        """The connector of a saved connection; `insist` tries it though its server seems dead."""
        return GuardedConnector(
            lambda: self._registry.using(access),
            breaker=self._breaker(access),
            seconds=self._seconds,
            insist=insist,
        )

    def room(self) -> Mapping[UUID, int]:
        """Connections whose server is in doubt, with how many of their exports to take."""
        rooms = {each: breaker.room for each, breaker in self._breakers.items()}
        return {each: room for each, room in rooms.items() if room is not None}

    @asynccontextmanager
    async def open_once(self, access: ConnectionAccess) -> AsyncIterator[DeliveryPort]:
        """A connector for this block alone, for settings that may not be saved yet."""
        opened: list[AnyConnector] = []

        def open_first() -> AbstractContextManager[AnyConnector]:
            if not opened:
                opened.append(self._registry.open(access))
            return nullcontext(opened[0])

        try:
            yield GuardedConnector(open_first, breaker=Breaker(self._clock), seconds=self._seconds)
        finally:
            for connector in opened:
                await connector.aclose()

    def _breaker(self, access: ConnectionAccess) -> Breaker:
        breaker = self._breakers.get(access.id)
        if breaker is None:

            def heard(state: BreakerState, code: str, message: str) -> None:
                self._on_breaker(access, state, code, message)

            breaker = self._breakers[access.id] = Breaker(self._clock, on_change=heard)
        return breaker
