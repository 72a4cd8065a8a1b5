"""Tells push, for operators to see, whose server answers and whose does not."""

import asyncio
from contextlib import suppress
from uuid import UUID

from countersign_export_worker import metrics
from countersign_export_worker.assignment import ConnectionAccess
from countersign_export_worker.connectors.breaker import BreakerState
from countersign_export_worker.errors import WorkRefused
from countersign_export_worker.persistence import keep_doing
from countersign_export_worker.ports import AttemptError, WorkPort
from countersign_platform.backoff import Backoff

_BACKOFF = Backoff(first_seconds=0.5, longest_seconds=30.0)
# Push takes a worker that was silent for longer than a while for one that says nothing.
_REPEAT_SECONDS = 300.0

Health = tuple[ConnectionAccess, BreakerState, AttemptError | None]


class HealthReports:
    """Keeps the last word on each connection and sends it; only the last one matters."""

    def __init__(self, work: WorkPort) -> None:
        self._work = work
        self._unsent: dict[UUID, Health] = {}
        self._doubtful: dict[UUID, Health] = {}
        self._changed = asyncio.Event()

    def note(self, access: ConnectionAccess, state: BreakerState, code: str, message: str) -> None:
        """A breaker changed."""
        error = AttemptError(code, message) if code else None
        health = access, state, error
        self._unsent[access.id] = health
        if state is BreakerState.CLOSED:
            self._doubtful.pop(access.id, None)
        else:
            self._doubtful[access.id] = health
        metrics.BREAKERS_OPEN.set(len(self._doubtful))
        metrics.BREAKER_CHANGES.labels(state.value).inc()
        self._changed.set()

    async def run(self) -> None:
        """Until cancelled."""
        await keep_doing("health", self._send_and_rest, _BACKOFF)

    async def send(self) -> None:
        """Send what push does not know."""
        for connection_id, health in list(self._unsent.items()):
            access, state, error = health
            with suppress(WorkRefused):  # a connection that is no more
                await self._work.report_health(access, state.value, error)
            if self._unsent.get(connection_id) is health:
                del self._unsent[connection_id]

    async def _send_and_rest(self) -> None:
        self._changed.clear()
        await self.send()
        try:
            async with asyncio.timeout(_REPEAT_SECONDS):
                await self._changed.wait()
        except TimeoutError:
            self._unsent |= self._doubtful
