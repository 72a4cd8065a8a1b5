"""Runs connection tests, because deliveries leave from here."""

import structlog

from countersign_export_worker.connectors.access import Connectors
from countersign_export_worker.errors import LeaseLost, WorkRefused
from countersign_export_worker.persistence import keep_doing
from countersign_export_worker.ports import CheckReport, ConnectionTest, WorkPort
from countersign_platform.backoff import Backoff

_log = structlog.get_logger()
_BACKOFF = Backoff(first_seconds=0.2, longest_seconds=5.0)


class ConnectionTests:
    """Waits for tests and runs them one after the other."""

    def __init__(self, work: WorkPort, connectors: Connectors, *, wait_seconds: float) -> None:
        """`wait_seconds`: how long push may keep the question waiting."""
        self._work = work
        self._connectors = connectors
        self._wait_seconds = wait_seconds

    async def run(self) -> None:
        """Until cancelled."""
        await keep_doing("connection tests", self.run_one, _BACKOFF)

    async def run_one(self) -> None:
        """One test, if one comes in time."""
        test = await self._work.claim_connection_test(self._wait_seconds)
        if test is None:
            return
        report = await self._test(test)
        _log.info(
            "connection_tested",
            org_id=str(test.connection.org_id),
            connection_id=str(test.connection.id),
            ok=report.ok,
            failure=report.failure,
        )
        try:
            await self._work.report_connection_test(test, report)
        except (LeaseLost, WorkRefused) as error:
            _log.info("connection_test_came_too_late", error=str(error))

    async def _test(self, test: ConnectionTest) -> CheckReport:
        async with self._connectors.open_once(test.connection) as connector:
            return await connector.test_connection()
