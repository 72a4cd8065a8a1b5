"""Tells push which connectors this worker has, so that connections of their types can be made."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from countersign_export_worker.persistence import keep_doing
from countersign_export_worker.ports import ConnectorType, WorkPort
from countersign_platform.backoff import Backoff

_BACKOFF = Backoff(first_seconds=1.0, longest_seconds=60.0)
_REPEAT_SECONDS = 600.0


class ConnectorAnnouncer:
    """Announces at the start and now and then: push forgets who is silent for a day."""

    def __init__(self, work: WorkPort, connectors: Mapping[str, ConnectorType]) -> None:
        """`connectors` by connector_type."""
        self._work = work
        self._connectors = [
            replace(each, connector_type=name) for name, each in sorted(connectors.items())
        ]

    async def run(self) -> None:
        """Until cancelled."""
        await keep_doing("announce", self._announce_and_rest, _BACKOFF)

    async def _announce_and_rest(self) -> None:
        await self._work.announce_connectors(self._connectors)
        await asyncio.sleep(_REPEAT_SECONDS)
