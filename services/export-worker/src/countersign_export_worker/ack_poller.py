"""Brings the ERP's answers to push.

Push says whose turn a connection is: one worker at a time looks. An answer is filed away only
after push has it on record, so a crash in between repeats it, and reporting an answer twice
changes nothing.
"""

import asyncio

import structlog

from countersign_export_worker.ack_look import AckLook
from countersign_export_worker.connectors.access import Connectors
from countersign_export_worker.errors import DeliveryError, WorkUnavailable
from countersign_export_worker.persistence import keep_doing
from countersign_export_worker.ports import AckPoll, WorkPort
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
        polls = await self._work.claim_ack_polls(_AT_ONCE)
        await asyncio.gather(*(self._poll_and_report(each) for each in polls))

    async def _poll_and_rest(self) -> None:
        await self.poll()
        await asyncio.sleep(self._seconds)

    async def _poll_and_report(self, poll: AckPoll) -> None:
        look = AckLook(self._work, self._connectors.reach(poll.connection), poll)
        try:
            await look.take()
        except (DeliveryError, WorkUnavailable) as error:
            _log.warning(
                "acks_not_read",
                org_id=str(poll.connection.org_id),
                connection_id=str(poll.connection.id),
                error=str(error),
            )
        await self._work.report_ack_poll(poll.connection, more=look.more, unsettled=look.unsettled)
