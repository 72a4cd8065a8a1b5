"""A worker says what a connection test found."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from countersign_core.errors import CountersignError
from countersign_core.reasons import Reason
from countersign_push.commands.connection_test_run import FinishedTests
from countersign_push.connection_acts import connection_tested
from countersign_push.store.connection_tests import ConnectionTestStore


class ReportConnectionTest:
    """Keeps the first result of a test and tells whoever waits for it."""

    def __init__(
        self,
        tests: ConnectionTestStore,
        finished: FinishedTests,
        wake_relay: Callable[[], None],
    ) -> None:
        self._tests = tests
        self._finished = finished
        self._wake_relay = wake_relay

    async def __call__(self, org_id: UUID, test_id: UUID, result: Mapping[str, Any]) -> None:
        """Record it; the same result again is accepted.

        Raises:
            CountersignError: LEASE_LOST; there is no such test, or another result is on record.
        """
        test = await self._tests.read(org_id, test_id)
        if test is not None and test.result is None:
            if await self._tests.finish(test, result, connection_tested(test, result)):
                self._finished.announce(test_id)
                self._wake_relay()
                return
            test = await self._tests.read(org_id, test_id)
        if test is None or test.result != result:
            raise CountersignError(Reason.LEASE_LOST, "The connection test is no longer yours")
