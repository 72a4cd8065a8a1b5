"""Brings the ERP's answers to push.

Push says whose turn a connection is: one worker at a time looks. An answer is filed away only
after push has it on record, so a crash in between repeats it, and reporting an answer twice
changes nothing.
"""

import asyncio

import structlog

from countersign_core.lifecycle import ExportStatus
from countersign_export_worker import metrics
from countersign_export_worker.assignment import ConnectionAccess
from countersign_export_worker.connectors.access import Connectors
from countersign_export_worker.connectors.ack_files import MOST
from countersign_export_worker.errors import DeliveryError, WorkRefused, WorkUnavailable
from countersign_export_worker.persistence import keep_doing
from countersign_export_worker.ports import AckFile, WorkPort
from countersign_platform.backoff import Backoff

_log = structlog.get_logger()
# Connections that this worker looks at in one go.
_AT_ONCE = 8


class AckPoller:
    """Asks for connections to look at, every `seconds`."""

    def __init__(self, work: WorkPort, connectors: Connectors, *, seconds: float) -> None:
        self._work = work
        self._connectors = connectors
        self._seconds = seconds
        self._backoff = Backoff(first_seconds=min(1.0, seconds), longest_seconds=seconds)

    async def run(self) -> None:
        """Until cancelled."""
        await keep_doing("acks", self._poll_and_rest, self._backoff)

    async def poll(self) -> None:
        """Look once wherever it is this worker's turn; all at once, so that none waits."""
        connections = await self._work.claim_ack_polls(_AT_ONCE)
        await asyncio.gather(*(self._poll_and_report(each) for each in connections))

    async def _poll_and_report(self, connection: ConnectionAccess) -> None:
        more = False
        try:
            more = await self._poll_one(connection)
        except (DeliveryError, WorkUnavailable) as error:
            _log.warning(
                "acks_not_read",
                org_id=str(connection.org_id),
                connection_id=str(connection.id),
                error=str(error),
            )
        await self._work.report_ack_poll(connection, more=more)

    async def _poll_and_rest(self) -> None:
        await self.poll()
        await asyncio.sleep(self._seconds)

    async def _poll_one(self, connection: ConnectionAccess) -> bool:
        """Whether a full look's worth of answers was there, so that more may wait."""
        connector = self._connectors.reach(connection)
        filed = 0
        for ack in await connector.poll_acks():
            understood = await self._report(connection, ack)
            if understood is not None:
                await connector.file_ack(ack, understood=understood)
                metrics.ACKS.labels(_outcome(ack, understood=understood)).inc()
                filed += 1
        return filed >= MOST

    async def _report(self, connection: ConnectionAccess, ack: AckFile) -> bool | None:
        """Whether the answer made sense; None when it must be asked about again."""
        if not ack.file_name:
            return False
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


def _outcome(ack: AckFile, *, understood: bool) -> str:
    if not understood:
        return "not_understood"
    return "accepted" if ack.accepted else "refused"
