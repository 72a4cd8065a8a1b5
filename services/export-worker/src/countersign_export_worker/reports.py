"""Reports that are repeated until push answers.

A report whose reply is lost may be on record, and each may be repeated under the same lease.
So the only ways out are an answer, or the end of the lease: whoever calls is cancelled then.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from itertools import count
from uuid import UUID

from countersign_export_worker.assignment import Lease
from countersign_export_worker.errors import WorkUnavailable
from countersign_export_worker.file_names import DropName
from countersign_export_worker.ports import AttemptError, Evidence, ReportPort
from countersign_platform.backoff import Backoff

_BACKOFF = Backoff(first_seconds=0.1, longest_seconds=3.0)


class PersistentReports:
    """ReportPort that never raises WorkUnavailable from a report."""

    def __init__(
        self, work: ReportPort, *, pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        """`pause` waits for so many seconds."""
        self._work = work
        self._pause = pause

    async def report_staged(self, lease: Lease, staged_name: str, document_sha256: str) -> None:
        """See ReportPort."""
        await self._repeat(lambda: self._work.report_staged(lease, staged_name, document_sha256))

    async def report_sent(self, lease: Lease, evidence: Evidence) -> None:
        """See ReportPort."""
        await self._repeat(lambda: self._work.report_sent(lease, evidence))

    async def report_failed(self, lease: Lease, error: AttemptError, *, withdrawn: bool) -> None:
        """See ReportPort."""
        await self._repeat(lambda: self._work.report_failed(lease, error, withdrawn=withdrawn))

    async def report_deferred(
        self, lease: Lease, error: AttemptError, *, withdrawn: bool = False
    ) -> None:
        """See ReportPort."""
        await self._repeat(lambda: self._work.report_deferred(lease, error, withdrawn=withdrawn))

    async def report_held(self, lease: Lease, error: AttemptError) -> None:
        """See ReportPort."""
        await self._repeat(lambda: self._work.report_held(lease, error))

    async def removable(self, org_id: UUID, names: Collection[DropName]) -> frozenset[DropName]:
        """See ReportPort; asked once, because the sweeper asks again anyway."""
        return await self._work.removable(org_id, names)

    async def _repeat(self, report: Callable[[], Awaitable[None]]) -> None:
        for failures in count(1):
            try:
                return await report()
            except WorkUnavailable:
                await self._pause(_BACKOFF.seconds(failures))
        return None
