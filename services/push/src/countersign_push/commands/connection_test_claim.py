"""A worker asks for a connection test to run, and waits for one."""

import time
from collections.abc import Sequence

from countersign_push.assignment import ConnectionAccess
from countersign_push.commands.connection_test_report import ReportConnectionTest
from countersign_push.commands.connection_test_run import open_sealed_access
from countersign_push.connection_test_result import not_begun
from countersign_push.secret_box import KeyRing, SecretsUnreadable
from countersign_push.store.connection_tests import ConnectionTest, ConnectionTestStore
from countersign_push.waiting_room import WaitingRoom


class ClaimConnectionTest:
    """Leases the test that waits longest; a worker that dies leaves it to the next one."""

    def __init__(
        self,
        tests: ConnectionTestStore,
        report: ReportConnectionTest,
        keys: KeyRing,
        room: WaitingRoom,
        lease_seconds: float,
    ) -> None:
        self._tests = tests
        self._report = report
        self._keys = keys
        self._room = room
        self._lease_seconds = lease_seconds

    async def __call__(
        self, worker_id: str, wait_seconds: float, connector_types: Sequence[str]
    ) -> tuple[ConnectionTest, ConnectionAccess] | None:
        """A test and what to test; None when none came within `wait_seconds`.

        `connector_types`: what the worker has; none named: it takes any test.
        """
        deadline = time.monotonic() + wait_seconds
        while not self._room.closed:
            with self._room.seat() as seat:
                test = await self._tests.claim(worker_id, self._lease_seconds, connector_types)
                if test is None:
                    if not await seat.wait(deadline - time.monotonic()):
                        break
                elif access := await self._open(test):
                    return test, access
        return None

    async def _open(self, test: ConnectionTest) -> ConnectionAccess | None:
        try:
            return open_sealed_access(test, self._keys)
        except SecretsUnreadable as error:
            await self._report(test.org_id, test.id, not_begun("SECRETS_UNREADABLE", str(error)))
            return None
