"""The audit lane over a real socket; the service at the other end does as the test says."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4

import grpc
import grpc.aio
import pytest
import pytest_asyncio

from countersign.audit.v1 import audit_service_pb2_grpc
from countersign.audit.v1.audit_service_pb2 import (
    AppendEventsRequest,
    AppendEventsResponse,
    AuditEvent,
)
from countersign_core.errors import CountersignError, Unavailable
from countersign_core.reasons import Reason
from countersign_platform.outbox.audit_sender import AuditSender
from countersign_platform.outbox.row import OutboxRow
from countersign_platform.rpc.channel import open_channel

pytestmark = pytest.mark.integration

AT = datetime(2026, 1, 15, 12, 0, 0, 123456, tzinfo=UTC)


class AuditTwin(audit_service_pb2_grpc.AuditServiceServicer):
    """Appends all of a request or nothing, as the real service does."""

    def __init__(self) -> None:
        self.refuse: Callable[[AuditEvent], bool] = lambda _: False
        self.code = grpc.StatusCode.INVALID_ARGUMENT
        self.away_after: int | None = None
        self.calls: list[int] = []
        self.events: list[AuditEvent] = []

    async def AppendEvents(
        self, request: AppendEventsRequest, context: grpc.aio.ServicerContext
    ) -> AppendEventsResponse:
        self.calls.append(len(request.events))
        if self.away_after is not None and len(self.calls) > self.away_after:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "going down")
        if any(self.refuse(event) for event in request.events):
            await context.abort(self.code, "refused")
        self.events += request.events
        return AppendEventsResponse(appended=len(request.events))


@pytest_asyncio.fixture(loop_scope="session")
async def twin() -> AsyncIterator[AuditTwin]:
    twin = AuditTwin()
    server = grpc.aio.server()
    audit_service_pb2_grpc.add_AuditServiceServicer_to_server(twin, server)
    twin.port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield twin
    await server.stop(None)


@pytest_asyncio.fixture(loop_scope="session")
async def sender(twin: AuditTwin) -> AsyncIterator[AuditSender]:
    async with open_channel(f"127.0.0.1:{twin.port}") as channel:
        yield AuditSender(channel)


def row(payload: bytes | None = None, size: int = 0) -> OutboxRow:
    row_id = uuid4()
    event = AuditEvent(event_id=str(row_id), after_json="x" * size)
    return OutboxRow(
        org_id=UUID(int=1),
        id=row_id,
        seq=1,
        lane="audit",
        payload=event.SerializeToString() if payload is None else payload,
        headers={},
        created_at=AT,
        attempts=0,
        leased_until=AT,
    )


def ids(rows: Sequence[OutboxRow]) -> list[str]:
    return [str(each.id) for each in rows]


def received(twin: AuditTwin) -> list[str]:
    return [event.event_id for event in twin.events]


async def test_a_batch_goes_in_one_call_and_takes_its_time_from_the_outbox(
    twin: AuditTwin, sender: AuditSender
) -> None:
    rows = [row() for _ in range(40)]
    assert await sender.send(rows) == [None] * 40
    assert twin.calls == [40]
    assert received(twin) == ids(rows)
    assert {event.occurred_at.ToDatetime(UTC) for event in twin.events} == {AT}


async def test_one_refused_event_stands_alone_and_all_others_are_appended(
    twin: AuditTwin, sender: AuditSender
) -> None:
    rows = [row() for _ in range(100)]
    bad = str(rows[37].id)
    twin.refuse = lambda event: event.event_id == bad
    results = await sender.send(rows)
    assert [n for n, error in enumerate(results) if error is not None] == [37]
    assert received(twin) == [each for each in ids(rows) if each != bad]
    # Halving 100 takes at most two calls per level.
    assert len(twin.calls) <= 1 + 2 * 7


async def test_what_cannot_be_parsed_harms_no_other_row(
    twin: AuditTwin, sender: AuditSender
) -> None:
    rows = [row(), row(b"\xff\xff not protobuf"), row()]
    results = await sender.send(rows)
    assert [error is None for error in results] == [True, False, True]
    assert not isinstance(results[1], Unavailable)
    assert received(twin) == [str(rows[0].id), str(rows[2].id)]


async def test_an_internal_error_of_the_service_is_told_apart_from_a_refusal(
    twin: AuditTwin, sender: AuditSender
) -> None:
    twin.refuse = lambda _: True
    twin.code = grpc.StatusCode.INTERNAL
    (error,) = await sender.send([row()])
    assert isinstance(error, CountersignError)
    assert error.reason is Reason.INTERNAL


@pytest.mark.parametrize(
    "code",
    [
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNIMPLEMENTED,
    ],
)
async def test_a_service_that_is_not_in_order_blames_no_row_and_is_asked_once(
    twin: AuditTwin, sender: AuditSender, code: grpc.StatusCode
) -> None:
    twin.refuse = lambda _: True
    twin.code = code
    results = await sender.send([row() for _ in range(8)])
    assert all(isinstance(error, Unavailable) for error in results)
    assert twin.calls == [8]


async def test_what_was_appended_before_the_service_went_away_counts(
    twin: AuditTwin, sender: AuditSender
) -> None:
    rows = [row(size=1 << 20) for _ in range(10)]
    twin.away_after = 2
    results = await sender.send(rows)
    appended = len(twin.events)
    assert 0 < appended < 10
    assert [error is None for error in results] == [True] * appended + [False] * (10 - appended)
    assert all(isinstance(error, Unavailable) for error in results[appended:])


async def test_large_events_are_spread_over_calls(twin: AuditTwin, sender: AuditSender) -> None:
    rows = [row(size=1 << 20) for _ in range(10)]
    assert await sender.send(rows) == [None] * 10
    assert twin.calls == [3, 3, 3, 1]


async def test_a_channel_that_was_closed_blames_no_row(twin: AuditTwin) -> None:
    channel = open_channel(f"127.0.0.1:{twin.port}")
    sender = AuditSender(channel)
    await channel.close()
    (error,) = await sender.send([row()])
    assert isinstance(error, Unavailable)


async def test_a_service_that_is_not_there_blames_no_row() -> None:
    async with open_channel("127.0.0.1:1") as channel:
        (error,) = await AuditSender(channel, timeout_seconds=2).send([row()])
    assert isinstance(error, Unavailable)
