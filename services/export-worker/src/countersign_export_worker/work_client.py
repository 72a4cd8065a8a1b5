"""Push, over gRPC; the one place where a status becomes a WorkError."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

import grpc.aio

from countersign.push.v1 import work_service_pb2 as pb
from countersign.push.v1 import work_service_pb2_grpc as pb_grpc
from countersign_core.errors import CountersignError
from countersign_core.reasons import Reason
from countersign_export_worker import work_messages as messages
from countersign_export_worker.assignment import Assignment, ConnectionAccess, Lease
from countersign_export_worker.delivery_context import current_request_id
from countersign_export_worker.errors import LeaseLost, WorkError, WorkRefused, WorkUnavailable
from countersign_export_worker.file_names import DropName
from countersign_export_worker.ports import (
    ROOM_ENOUGH,
    AckFile,
    AckPoll,
    AttemptError,
    CheckReport,
    ConnectionTest,
    ConnectorType,
    Evidence,
    Room,
)
from countersign_export_worker.report_calls import ReportCalls
from countersign_platform.rpc.metadata import REQUEST_ID
from countersign_platform.rpc.status import error_from_rpc

_T = TypeVar("_T")

# How long a call may take, beyond what it is asked to wait; in seconds.
_CALL_SECONDS = 10.0
_MOST_LEFTOVERS = 1000
_MAX_ERP_ORDER_ID = 200
# What a claim may say of one connection, by the contract.
_MOST_ROOM = 64
# Longest wish to be left alone that a report can carry, in seconds; by the contract.
_LONGEST_WAIT = 86_400.0

# Asked again, these are refused again. All else may pass: a restart, a new token, a full pool.
_REFUSALS = frozenset(
    {
        Reason.VALIDATION_FAILED,
        Reason.ROLE_REQUIRED,
        Reason.EXPORT_NOT_FOUND,
        Reason.EXPORT_WRONG_STATE,
        Reason.CONNECTION_NOT_FOUND,
    }
)


class WorkClient:
    """WorkPort over a channel."""

    def __init__(
        self, channel: grpc.aio.Channel, worker_id: str, connector_types: Sequence[str] = ()
    ) -> None:
        """`worker_id` is for people to read; `connector_types` are those that can be tested."""
        self._connector_types = connector_types
        self._stub = pb_grpc.WorkServiceStub(channel)
        self._reports = ReportCalls(self._stub, self._call, _work_error)
        self._worker_id = worker_id
        # Whether push answered the last call; None before the first.
        self.reachable: bool | None = None

    async def claim_export(self, org_id: UUID, export_id: UUID) -> Assignment | None:
        """See WorkPort."""
        reply = await self._call(
            self._stub.ClaimExport,
            pb.ClaimExportRequest(
                org_id=str(org_id), export_id=str(export_id), worker_id=self._worker_id
            ),
        )
        return messages.assignment_of(reply.assignment) if reply.HasField("assignment") else None

    async def claim_next(
        self, most: int, wait_seconds: float, room: Room = ROOM_ENOUGH
    ) -> Sequence[Assignment]:
        """See WorkPort."""
        reply = await self._call(
            self._stub.ClaimNext,
            pb.ClaimNextRequest(
                worker_id=self._worker_id,
                max_assignments=most,
                wait_seconds=wait_seconds,
                max_per_connection=min(room.of_others, _MOST_ROOM),
                room_by_connection=messages.room_message(room, _MOST_ROOM),
            ),
            seconds=wait_seconds + _CALL_SECONDS,
        )
        return [messages.assignment_of(assignment) for assignment in reply.assignments]

    async def renew_lease(self, lease: Lease) -> None:
        """See WorkPort."""
        request = pb.RenewLeaseRequest(lease=messages.lease_message(lease))
        await self._call(self._stub.RenewLease, request)

    async def release_lease(self, lease: Lease) -> None:
        """See WorkPort."""
        request = pb.ReleaseLeaseRequest(lease=messages.lease_message(lease))
        await self._call(self._stub.ReleaseLease, request)

    async def report_staged(self, lease: Lease, staged_name: str, document_sha256: str) -> None:
        """See ReportPort."""
        report = pb.ReportStagedRequest(
            lease=messages.lease_message(lease),
            staged_name=staged_name,
            document_sha256=document_sha256,
        )
        await self._reports.report(pb.BatchReportItem(staged=report))

    async def report_sent(self, lease: Lease, evidence: Evidence) -> None:
        """See ReportPort."""
        report = pb.ReportSentRequest(
            lease=messages.lease_message(lease), evidence=messages.evidence_value(evidence)
        )
        await self._reports.report(pb.BatchReportItem(sent=report))

    async def report_failed(self, lease: Lease, error: AttemptError, *, withdrawn: bool) -> None:
        """See ReportPort."""
        report = pb.ReportFailedRequest(
            lease=messages.lease_message(lease),
            error=messages.error_message(error),
            withdrawn=withdrawn,
        )
        await self._reports.report(pb.BatchReportItem(failed=report))

    async def report_deferred(
        self, lease: Lease, error: AttemptError, *, withdrawn: bool = False
    ) -> None:
        """See ReportPort."""
        report = pb.ReportDeferredRequest(
            lease=messages.lease_message(lease),
            error=messages.error_message(error),
            withdrawn=withdrawn,
            retry_after_seconds=min(max(0.0, error.retry_after_seconds), _LONGEST_WAIT),
        )
        await self._reports.report(pb.BatchReportItem(deferred=report))

    async def report_held(self, lease: Lease, error: AttemptError) -> None:
        """See ReportPort."""
        report = pb.ReportHeldRequest(
            lease=messages.lease_message(lease), error=messages.error_message(error)
        )
        await self._reports.report(pb.BatchReportItem(held=report))

    async def removable(self, org_id: UUID, names: Collection[DropName]) -> frozenset[DropName]:
        """See ReportPort."""
        by_text = {str(name): name for name in names}
        leftovers = [messages.leftover_message(name) for name in names]
        found: set[DropName] = set()
        for start in range(0, len(leftovers), _MOST_LEFTOVERS):
            some = leftovers[start : start + _MOST_LEFTOVERS]
            reply = await self._call(
                self._stub.ReviewLeftovers,
                pb.ReviewLeftoversRequest(org_id=str(org_id), leftovers=some),
            )
            found.update(by_text[text] for text in reply.removable if text in by_text)
        return frozenset(found)

    async def list_dropzones(self) -> Sequence[ConnectionAccess]:
        """See WorkPort."""
        reply = await self._call(self._stub.ListDropzones, pb.ListDropzonesRequest())
        return [messages.connection_of(connection) for connection in reply.connections]

    async def claim_ack_polls(self, most: int) -> Sequence[AckPoll]:
        """See WorkPort."""
        reply = await self._call(
            self._stub.ClaimAckPolls,
            pb.ClaimAckPollsRequest(worker_id=self._worker_id, max_connections=most),
        )
        return messages.ack_polls_of(reply)

    async def report_ack_poll(
        self, connection: ConnectionAccess, *, more: bool, unsettled: Mapping[str, str]
    ) -> None:
        """See WorkPort."""
        await self._call(
            self._stub.ReportAckPoll,
            pb.ReportAckPollRequest(
                org_id=str(connection.org_id),
                erp_connection_id=str(connection.id),
                worker_id=self._worker_id,
                more=more,
                unsettled=[
                    pb.UnsettledAnswer(name=name, state=state) for name, state in unsettled.items()
                ],
            ),
        )

    async def report_health(
        self, connection: ConnectionAccess, breaker: str, error: AttemptError | None
    ) -> None:
        """See WorkPort."""
        await self._call(
            self._stub.ReportConnectionHealth,
            pb.ReportConnectionHealthRequest(
                org_id=str(connection.org_id),
                erp_connection_id=str(connection.id),
                worker_id=self._worker_id,
                breaker=messages.breaker_value(breaker),
                error=None if error is None else messages.error_message(error),
            ),
        )

    async def announce_connectors(self, connectors: Sequence[ConnectorType]) -> None:
        """See WorkPort."""
        await self._call(
            self._stub.AnnounceConnectors,
            pb.AnnounceConnectorsRequest(
                worker_id=self._worker_id,
                connectors=[messages.connector_message(each) for each in connectors],
            ),
        )

    async def claim_connection_test(self, wait_seconds: float) -> ConnectionTest | None:
        """See WorkPort."""
        reply = await self._call(
            self._stub.ClaimConnectionTest,
            pb.ClaimConnectionTestRequest(
                worker_id=self._worker_id,
                wait_seconds=wait_seconds,
                connector_types=self._connector_types,
            ),
            seconds=wait_seconds + _CALL_SECONDS,
        )
        if not reply.test_id:
            return None
        return ConnectionTest(UUID(reply.test_id), messages.connection_of(reply.connection))

    async def report_connection_test(self, test: ConnectionTest, report: CheckReport) -> None:
        """See WorkPort."""
        await self._call(
            self._stub.ReportConnectionTest,
            pb.ReportConnectionTestRequest(
                org_id=str(test.connection.org_id),
                test_id=str(test.test_id),
                result=messages.report_message(report),
            ),
        )

    async def report_ack(self, connection: ConnectionAccess, ack: AckFile) -> None:
        """See WorkPort."""
        await self._call(
            self._stub.ReportAck,
            pb.ReportAckRequest(
                org_id=str(connection.org_id),
                erp_connection_id=str(connection.id),
                file_name=ack.file_name,
                accepted=ack.accepted,
                erp_order_id=ack.erp_order_id[:_MAX_ERP_ORDER_ID],
                error=None if ack.error is None else messages.error_message(ack.error),
                export_id=str(ack.export_id or ""),
            ),
        )

    async def _call(
        self,
        method: Callable[..., Awaitable[_T]],
        request: Any,
        *,
        seconds: float = _CALL_SECONDS,
    ) -> _T:
        metadata = [(REQUEST_ID, request_id)] if (request_id := current_request_id()) else []
        try:
            reply = await method(request, timeout=seconds, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            work_error = _work_error(error_from_rpc(error))
            self.reachable = not isinstance(work_error, WorkUnavailable)
            raise work_error from error
        except CountersignError as error:  # no service token to present
            self.reachable = False
            raise WorkUnavailable(error.message) from error
        self.reachable = True
        return reply


def _work_error(error: CountersignError) -> WorkError:
    if error.reason is Reason.LEASE_LOST:
        return LeaseLost(error.message)
    if error.reason in _REFUSALS:
        return WorkRefused(error.reason, error.message, **error.metadata)
    return WorkUnavailable(f"{error.reason}: {error.message}")
