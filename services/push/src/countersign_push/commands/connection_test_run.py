"""Has a worker test a connection, because that is where deliveries leave from, and waits."""

import asyncio
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from uuid import UUID, uuid4

from countersign_core.errors import CountersignError
from countersign_core.reasons import Reason
from countersign_platform.rpc.call import Call
from countersign_push.assignment import ConnectionAccess
from countersign_push.connection_test_result import StoredResult, failed_step
from countersign_push.secret_box import KeyRing, Owner, Sealed
from countersign_push.store.connection_tests import ConnectionTest, ConnectionTestStore
from countersign_push.waiting_room import WaitingRoom

_LONGEST_WAIT = 15.0
# What must be left of the caller's deadline to answer in time.
_MARGIN = 0.5
# How often the database is asked, for a worker may report to another replica.
_POLL = 0.25


class FinishedTests:
    """Tells those who wait in this process that a test is finished."""

    def __init__(self) -> None:
        self._expected: dict[UUID, asyncio.Event] = {}

    @contextmanager
    def expect(self, test_id: UUID) -> Iterator[asyncio.Event]:
        """An event that is set when the test is announced."""
        self._expected[test_id] = asyncio.Event()
        try:
            yield self._expected[test_id]
        finally:
            del self._expected[test_id]

    def announce(self, test_id: UUID) -> None:
        """The result is on record."""
        if event := self._expected.get(test_id):
            event.set()


class RunConnectionTest:
    """Puts a test up and waits for its result."""

    def __init__(
        self,
        tests: ConnectionTestStore,
        keys: KeyRing,
        room: WaitingRoom,
        finished: FinishedTests,
    ) -> None:
        """`room` is where idle workers wait for tests."""
        self._tests = tests
        self._keys = keys
        self._room = room
        self._finished = finished

    async def __call__(
        self, call: Call, access: ConnectionAccess, *, stored_version: int | None
    ) -> StoredResult:
        """What the test found; it passed.

        `stored_version` is the version that is tested when it is the stored one; the result is
        then kept on the connection.

        Raises:
            CountersignError: CONNECTION_TEST_FAILED with `failure` and `step`, or
                CONNECTION_TEST_TIMEOUT: no worker answered before the caller's deadline.
        """
        deadline = time.monotonic() + _patience(call)
        test = self._test(call, access, stored_version)
        with self._finished.expect(test.id) as finished:
            await self._tests.ask(test, max(deadline - time.monotonic(), 0.0))
            self._room.wake()
            result = await self._result(test, finished, deadline)
        if not result["ok"]:
            raise _failed(result)
        return result

    async def _result(
        self, test: ConnectionTest, finished: asyncio.Event, deadline: float
    ) -> StoredResult:
        while (left := deadline - time.monotonic()) > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, _POLL)):
                    await finished.wait()
            known = await self._tests.read(test.org_id, test.id)
            if known is not None and known.result is not None:
                return dict(known.result)
        raise CountersignError(
            Reason.CONNECTION_TEST_TIMEOUT, "No worker answered the connection test in time"
        )

    def _test(
        self, call: Call, access: ConnectionAccess, stored_version: int | None
    ) -> ConnectionTest:
        return ConnectionTest(
            org_id=access.org_id,
            id=uuid4(),
            connection_id=access.id,
            connection_version=stored_version,
            access=seal_access(access, self._keys),
            requested_by=call.identity.subject,
            connector_type=access.connector_type,
            requested_call={
                "request_id": call.request_id,
                "traceparent": call.traceparent,
                "ip": call.ip,
                "user_agent": call.user_agent,
            },
        )


def seal_access(access: ConnectionAccess, keys: KeyRing) -> Sealed:
    """The whole connection, sealed for a worker to test."""
    opened = {
        "connector_type": access.connector_type,
        "config": dict(access.config),
        "version": access.version,
        "secrets": dict(access.secrets),
    }
    return keys.seal(json.dumps(opened).encode(), Owner(access.org_id, access.id))


def open_sealed_access(test: ConnectionTest, keys: KeyRing) -> ConnectionAccess:
    """The connection to test.

    Raises:
        SecretsUnreadable: the key ring cannot open it.
    """
    opened = json.loads(keys.open(test.access, Owner(test.org_id, test.connection_id)))
    return ConnectionAccess(org_id=test.org_id, id=test.connection_id, **opened)


def _patience(call: Call) -> float:
    remaining = call.remaining_seconds()
    return _LONGEST_WAIT if remaining is None else min(_LONGEST_WAIT, remaining - _MARGIN)


def _failed(result: Mapping[str, Any]) -> CountersignError:
    return CountersignError(
        Reason.CONNECTION_TEST_FAILED,
        result["message"] or "The connection test failed",
        failure=result["failure"],
        step=failed_step(result),
    )
