"""Brings what an outbox holds to those who must hear it, at least once, as soon as it is there.

Any number of processes may run a relay over the same outbox: rows are leased, so two do not
send the same one while both are well. Everything told is idempotent by id.
"""

import asyncio
from collections.abc import Mapping

import structlog

from countersign_platform.database.pool import Database
from countersign_platform.outbox import metrics
from countersign_platform.outbox.lane import Lane, LanePolicy
from countersign_platform.outbox.sender import Sender
from countersign_platform.outbox.store import OutboxStore

_log = structlog.get_logger(__name__)

MEASURE_SECONDS = 5.0


class Relay:
    """All lanes of one schema's outbox. A lane that has no sender here is left to others."""

    def __init__(
        self,
        database: Database,
        schema: str,
        senders: Mapping[str, Sender],
        *,
        policies: Mapping[str, LanePolicy] | None = None,
        measure_seconds: float = MEASURE_SECONDS,
    ) -> None:
        """`senders` and `policies` are by lane; a lane without a policy has the usual one.

        `measure_seconds`: how often the gauges, and `lag_seconds`, are brought up to date.
        """
        self.store = OutboxStore(database, schema)
        given = policies or {}
        self._lanes = {
            name: Lane(name, self.store, sender, given.get(name, LanePolicy()))
            for name, sender in senders.items()
        }
        self._measure_seconds = measure_seconds
        self._lag_seconds: dict[str, float] = {}

    def wake(self, lane: str | None = None) -> None:
        """Call it after a commit that wrote rows; costs nothing, and being late is no harm."""
        for each in self._lanes.values():
            if lane is None or each.name == lane:
                each.wake()

    async def run(self) -> None:
        """Until cancelled. What is being sent at that moment, the next relay sends again."""
        async with asyncio.TaskGroup() as group:
            for lane in self._lanes.values():
                group.create_task(lane.run())
            group.create_task(self._measure_for_ever())

    def lag_seconds(self, lane: str) -> float | None:
        """Age of the lane's oldest row that waits, when last measured; None: never yet.

        Rows in quarantine do not count: they wait for a person, not for the other side.
        """
        return self._lag_seconds.get(lane)

    async def measure(self) -> None:
        """Set the gauges of every lane from what is in the outbox now.

        Raises:
            Unavailable: the database is away.
        """
        found = {record["lane"]: record for record in await self.store.measure()}
        for name in self._lanes:
            record = found.get(name) or {"waiting": 0, "quarantined": 0, "oldest_seconds": 0.0}
            labels = (self.store.schema, name)
            metrics.ROWS.labels(*labels).set(record["waiting"])
            metrics.QUARANTINED.labels(*labels).set(record["quarantined"])
            metrics.OLDEST_SECONDS.labels(*labels).set(record["oldest_seconds"])
            self._lag_seconds[name] = record["oldest_seconds"]

    async def _measure_for_ever(self) -> None:
        while True:
            try:
                await self.measure()
            except Exception as error:  # noqa: BLE001 — the gauges keep their last word
                _log.warning("outbox_not_measured", schema=self.store.schema, error=str(error))
            await asyncio.sleep(self._measure_seconds)
