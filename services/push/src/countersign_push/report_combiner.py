"""Reports of workers that wait at the same time become one statement, whoever sent them.

As with pushes (docs/decisions/0019): a report alone goes at once; under load many share a round
trip and a commit.
"""

from countersign_platform.shared_calls import SharedCalls
from countersign_push.act import Act
from countersign_push.lease import Lease
from countersign_push.store.reports import ReportStore
from countersign_push.store.reports_together import Sent, Staged, TogetherStore


class ReportCombiner:
    """The two reports of every delivery; answers as ReportStore does."""

    def __init__(self, reports: ReportStore, together: TogetherStore) -> None:
        self._reports = reports
        self._staged = SharedCalls(self._staged_alone, together.staged)
        self._sent = SharedCalls(self._sent_alone, together.sent)

    async def staged(self, lease: Lease, staged_name: str, document_sha256: bytes) -> bool:
        """See ReportStore."""
        return await self._staged.ask(Staged(lease, staged_name, document_sha256))

    async def sent(self, lease: Lease, evidence: str, act: Act) -> bool:
        """See ReportStore."""
        return await self._sent.ask(Sent(lease, evidence, act))

    async def _staged_alone(self, report: Staged) -> bool:
        return await self._reports.staged(report.lease, report.staged_name, report.document_sha256)

    async def _sent_alone(self, report: Sent) -> bool:
        return await self._reports.sent(report.lease, report.evidence, report.act)
