"""A worker has written the whole file: its temporary name becomes the token."""

from countersign_push.lease import Lease
from countersign_push.missed_report import missed_staged
from countersign_push.report_combiner import ReportCombiner
from countersign_push.store.work import WorkStore


class ReportStaged:
    """Puts the token on record, once per export."""

    def __init__(self, reports: ReportCombiner, work: WorkStore) -> None:
        self._reports = reports
        self._work = work

    async def __call__(self, lease: Lease, staged_name: str, document_sha256: bytes) -> None:
        """Record it; the same report again is accepted.

        Raises:
            LeaseLost: another worker has the export, or the lease was given back.
            WrongState: EXPORT_WRONG_STATE; another file is staged already.
        """
        if not await self._reports.staged(lease, staged_name, document_sha256):
            export = await self._work.read(lease.org_id, lease.export_id)
            missed_staged(lease, export, staged_name)
