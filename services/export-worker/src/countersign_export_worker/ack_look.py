"""One look for the ERP's answers at one connection: each is reported, then filed away."""

import asyncio
from collections.abc import Iterable, Sequence

import structlog

from countersign_core.lifecycle import ExportStatus
from countersign_export_worker import metrics
from countersign_export_worker.connectors.ack_files import MOST
from countersign_export_worker.errors import WorkRefused
from countersign_export_worker.ports import AckFile, AckPoll, ConnectorPort, WorkPort

_log = structlog.get_logger()
# So many answers are reported and filed side by side.
_AT_ONCE = 8
# An answer that makes no sense may still be being written, for this long.
SETTLED_SECONDS = 30.0


class AckLook:
    """`take` looks; `more` and `unsettled` then tell what it left."""

    def __init__(self, work: WorkPort, connector: ConnectorPort, poll: AckPoll) -> None:
        self._work = work
        self._connector = connector
        self._poll = poll
        self.more = False
        # By name, the states of answers that make no sense yet; until somebody has looked, those
        # of the look before.
        self.unsettled = {name: each.state for name, each in poll.unsettled.items()}

    async def take(self) -> None:
        """Report and file what is there; each answer by itself, so that none keeps another.

        Raises:
            DeliveryError: the server cannot be reached, or an answer not be moved.
            WorkUnavailable: push is away; the answers stay.
        """
        acks = await self._connector.poll_acks()
        young = [ack for ack in acks if self._may_still_be_written(ack)]
        self.unsettled = {ack.name: ack.state for ack in young}
        free = asyncio.Semaphore(_AT_ONCE)

        async def settle(answers: Sequence[AckFile]) -> int:
            async with free:
                return sum([await self._settle(each) for each in answers])

        rest = (ack for ack in acks if ack.name not in self.unsettled)
        filed = await asyncio.gather(
            *(settle(answers) for answers in _by_file(rest)), return_exceptions=True
        )
        for outcome in filed:
            if isinstance(outcome, BaseException):
                raise outcome
        # Where nothing moved, what lies behind it can only wait.
        self.more = len(acks) >= MOST and any(filed)

    def _may_still_be_written(self, ack: AckFile) -> bool:
        if ack.file_name or not ack.state:
            return False
        known = self._poll.unsettled.get(ack.name)
        return known is None or known.state != ack.state or known.seconds < SETTLED_SECONDS

    async def _settle(self, ack: AckFile) -> bool:
        """Whether it was filed away."""
        understood = await self._report(ack)
        if understood is None:
            return False
        await self._connector.file_ack(ack, understood=understood)
        metrics.ACKS.labels(_outcome(ack, understood=understood)).inc()
        return True

    async def _report(self, ack: AckFile) -> bool | None:
        """Whether the answer made sense; None when it must be asked about again."""
        if not ack.file_name:
            return False
        connection = self._poll.connection
        try:
            await self._work.report_ack(connection, ack)
        except WorkRefused as refusal:
            if refusal.metadata.get("current") == ExportStatus.PENDING:
                return None  # the answer came before the record of what it answers
            _log.warning(
                "ack_refused", name=ack.name, org_id=str(connection.org_id), error=str(refusal)
            )
            return False
        return True


def _by_file(acks: Iterable[AckFile]) -> Iterable[Sequence[AckFile]]:
    """Two answers about one file keep their order: the first one counts."""
    groups: dict[str, list[AckFile]] = {}
    for ack in acks:
        groups.setdefault(ack.file_name or ack.name, []).append(ack)
    return groups.values()


def _outcome(ack: AckFile, *, understood: bool) -> str:
    if not understood:
        return "not_understood"
    return "accepted" if ack.accepted else "refused"
