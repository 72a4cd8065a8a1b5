"""A worker says that the ERP has the file."""

from collections.abc import Callable

from countersign_push.claimed_exports import ClaimedExports
from countersign_push.export_acts import push_succeeded
from countersign_push.lease import Lease
from countersign_push.metrics import EXPORTS
from countersign_push.missed_report import missed_sent
from countersign_push.report_combiner import ReportCombiner
from countersign_push.store.work import WorkStore


class ReportSent:
    """PENDING → SENT and draft → PUSHED."""

    def __init__(
        self,
        reports: ReportCombiner,
        work: WorkStore,
        claimed: ClaimedExports,
        wake_relay: Callable[[], None],
    ) -> None:
        self._reports = reports
        self._work = work
        self._claimed = claimed
        self._wake_relay = wake_relay

    async def __call__(self, lease: Lease, evidence: str) -> None:
        """Record the delivery; `evidence` is how it is known, for example RENAMED.

        Raises:
            LeaseLost: another worker has the export, it failed, or the lease was given back.
        """
        act = push_succeeded(await self._claimed.recall(lease), evidence)
        if await self._reports.sent(lease, evidence, act):
            self._claimed.forget(lease)
            EXPORTS.labels("SENT").inc()
            self._wake_relay()
        else:
            missed_sent(lease, await self._work.read(lease.org_id, lease.export_id))
