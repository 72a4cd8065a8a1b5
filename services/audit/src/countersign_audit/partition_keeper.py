"""Keeps the coming months' partitions ready, so that no append has to make its own."""

import asyncio
from typing import Protocol

import structlog

from countersign_audit.metrics import PARTITION_FAILURES

_log = structlog.get_logger(__name__)


class PartitionMaker(Protocol):
    """Makes partitions."""

    async def ensure_partitions(self, months_ahead: int) -> int:
        """Makes what is missing from this month on; how many partitions were made."""


class PartitionKeeper:
    """Looks after the partitions now and then; safe with any number of replicas."""

    def __init__(self, maker: PartitionMaker, *, months_ahead: int, check_seconds: float) -> None:
        self._maker = maker
        self._months_ahead = months_ahead
        self._check_seconds = check_seconds

    async def run(self) -> None:
        """Goes on until it is cancelled.

        A failure waits for the next turn: an append makes the partition that it needs itself.
        """
        while True:
            await self.check()
            await asyncio.sleep(self._check_seconds)

    async def check(self) -> None:
        """One turn."""
        try:
            made = await self._maker.ensure_partitions(self._months_ahead)
        except Exception as error:  # noqa: BLE001 — the next turn may do better, and must come
            PARTITION_FAILURES.inc()
            _log.warning("partitions_not_checked", exc_info=error)
            return
        if made:
            _log.info("partitions_made", count=made)
