"""The audit lane: events to the audit service, in batches, deduplicated there by event id."""

import asyncio
from collections.abc import Iterator, Sequence

import grpc
import grpc.aio

from countersign.audit.v1.audit_service_pb2 import AppendEventsRequest, AuditEvent
from countersign.audit.v1.audit_service_pb2_grpc import AuditServiceStub
from countersign_core.errors import CountersignError, Unavailable
from countersign_core.reasons import Reason
from countersign_platform.outbox.isolate import send_isolating
from countersign_platform.outbox.row import OutboxRow
from countersign_platform.rpc.status import error_from_rpc

# The contract takes 1000 events; states of large drafts fill a message before that.
_MOST_EVENTS = 500
_MOST_BYTES = 4 << 20

# These say that the service, or our token, is not in order: no row is to blame.
_NOT_THE_ROW = frozenset(
    {
        Reason.UNAVAILABLE,
        Reason.DEADLINE_EXCEEDED,
        Reason.RATE_LIMITED,
        Reason.UNAUTHENTICATED,
        Reason.ROLE_REQUIRED,
    }
)


class AuditSender:
    """Sends to AuditService over a channel that carries a RELAY token."""

    def __init__(self, channel: grpc.aio.Channel, *, timeout_seconds: float = 10.0) -> None:
        self._stub = AuditServiceStub(channel)
        self._timeout = timeout_seconds

    async def send(self, rows: Sequence[OutboxRow]) -> Sequence[Exception | None]:
        """One result per row; a batch that is refused is split until the bad row stands alone."""
        results: list[Exception | None] = []
        for batch in _batches(rows):
            results += await send_isolating(batch, self._append)
            if isinstance(results[-1], Unavailable):
                return [*results, *[results[-1]] * (len(rows) - len(results))]
        return results

    async def _append(self, rows: Sequence[OutboxRow]) -> None:
        request = AppendEventsRequest(events=[_event(row) for row in rows])
        try:
            await self._stub.AppendEvents(request, timeout=self._timeout)
        except grpc.aio.AioRpcError as error:
            raise _told_apart(error) from error
        except grpc.aio.UsageError as error:
            raise Unavailable("The channel to the audit service is closed") from error
        except asyncio.CancelledError as error:
            # A channel that is closed cancels its calls, though nobody cancelled us.
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            raise Unavailable("The channel to the audit service was closed") from error


def _event(row: OutboxRow) -> AuditEvent:
    event = AuditEvent.FromString(row.payload)
    event.occurred_at.FromDatetime(row.created_at)
    return event


def _told_apart(error: grpc.aio.AioRpcError) -> CountersignError:
    """Unavailable when the service is not in order; else what it said of the batch."""
    if error.code() is grpc.StatusCode.UNIMPLEMENTED:
        return Unavailable("The audit service does not know AppendEvents yet")
    refusal = error_from_rpc(error)
    if refusal.reason in _NOT_THE_ROW and not isinstance(refusal, Unavailable):
        return Unavailable(f"The audit service answers {refusal.reason}: {refusal.message}")
    return refusal


def _batches(rows: Sequence[OutboxRow]) -> Iterator[Sequence[OutboxRow]]:
    batch: list[OutboxRow] = []
    size = 0
    for row in rows:
        if batch and (len(batch) == _MOST_EVENTS or size + len(row.payload) > _MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += len(row.payload)
    if batch:
        yield batch
