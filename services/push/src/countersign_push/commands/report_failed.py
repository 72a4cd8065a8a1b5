"""A worker gives an export up."""

from collections.abc import Callable

from countersign_push.claimed_exports import ClaimedExports
from countersign_push.export_acts import push_failed
from countersign_push.lease import AttemptError, Lease
from countersign_push.metrics import EXPORTS
from countersign_push.missed_report import missed_failed
from countersign_push.store.reports import ReportStore
from countersign_push.store.work import WorkStore


class ReportFailed:
    """PENDING → FAILED and draft → ERROR."""

    def __init__(
        self,
        reports: ReportStore,
        work: WorkStore,
        claimed: ClaimedExports,
        wake_relay: Callable[[], None],
    ) -> None:
        self._reports = reports
        self._work = work
        self._claimed = claimed
        self._wake_relay = wake_relay

    async def __call__(self, lease: Lease, error: AttemptError, *, withdrawn: bool = False) -> None:
        """End the export; a staged one only if its file was taken back (`withdrawn`).

        Raises:
            LeaseLost: another worker has the export, it was delivered, or the lease was given
                back.
            WrongState: EXPORT_WRONG_STATE; the staged file is still out.
        """
        act = push_failed(await self._claimed.recall(lease), error)
        if await self._reports.failed(lease, error, act, withdrawn=withdrawn):
            self._claimed.forget(lease)
            EXPORTS.labels("FAILED").inc()
            self._wake_relay()
        else:
            missed_failed(lease, await self._work.read(lease.org_id, lease.export_id))
