"""A worker could not finish for now: the export is tried again by the database's clock."""

from datetime import datetime

from countersign_push.lease import AttemptError, Lease
from countersign_push.missed_report import missed_deferred, missed_held
from countersign_push.store.reports import ReportStore
from countersign_push.store.work import WorkStore


class ReportDeferred:
    """After a transient failure."""

    def __init__(self, reports: ReportStore, work: WorkStore) -> None:
        self._reports = reports
        self._work = work

    async def __call__(
        self,
        lease: Lease,
        error: AttemptError,
        *,
        withdrawn: bool = False,
        retry_after_seconds: float = 0.0,
    ) -> datetime:
        """Give the lease back; when the export is due again.

        `withdrawn`: what was staged was taken back, so the next attempt stages anew.
        `retry_after_seconds`: it is due no sooner.

        Raises:
            LeaseLost: another worker has the export, it is finished, or it was put off for
                another reason.
        """
        due = await self._reports.deferred(
            lease, error, withdrawn=withdrawn, retry_after_seconds=retry_after_seconds
        )
        if due is not None:
            return due
        export = await self._work.read(lease.org_id, lease.export_id)
        return missed_deferred(lease, export, error)


class ReportHeld:
    """While a staged file can neither be published nor taken back."""

    def __init__(self, reports: ReportStore, work: WorkStore) -> None:
        self._reports = reports
        self._work = work

    async def __call__(self, lease: Lease, error: AttemptError) -> datetime:
        """Hold the export and give the lease back; when it is due again.

        Raises:
            LeaseLost: as ReportDeferred.
            WrongState: EXPORT_WRONG_STATE; nothing is staged, so nothing is unknown.
        """
        due = await self._reports.held(lease, error)
        if due is not None:
            return due
        export = await self._work.read(lease.org_id, lease.export_id)
        return missed_held(lease, export, error)
