"""A worker needs longer, or stops untried."""

from collections.abc import Callable
from datetime import datetime

from countersign_push.lease import Lease, LeaseLost
from countersign_push.missed_report import missed_release
from countersign_push.store.reports import ReportStore
from countersign_push.store.work import WorkStore


class RenewLease:
    """Extends a lease, also one that ran out and that nobody took since."""

    def __init__(self, reports: ReportStore, work: WorkStore) -> None:
        self._reports = reports
        self._work = work

    async def __call__(self, lease: Lease) -> datetime:
        """The new end, by the database's clock.

        Raises:
            LeaseLost: another worker has the export, it is finished, or the lease was given
                back.
        """
        end = await self._reports.renewed(lease)
        if end is None:
            raise LeaseLost(lease, await self._work.read(lease.org_id, lease.export_id))
        return end


class ReleaseLease:
    """Gives a lease back; the attempt does not count and the export is due at once."""

    def __init__(self, reports: ReportStore, work: WorkStore, wake: Callable[[], None]) -> None:
        """`wake` tells idle workers of this process that something is due."""
        self._reports = reports
        self._work = work
        self._wake = wake

    async def __call__(self, lease: Lease) -> None:
        """Release it; again is accepted.

        Raises:
            LeaseLost: another worker has the export, or it is finished.
        """
        if await self._reports.released(lease):
            self._wake()
        else:
            missed_release(lease, await self._work.read(lease.org_id, lease.export_id))
