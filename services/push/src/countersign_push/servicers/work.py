"""WorkService: what a worker asks becomes a command; what it answers, a reply."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from countersign.push.v1 import work_service_pb2 as pb
from countersign.push.v1.work_service_pb2_grpc import WorkServiceServicer
from countersign_platform.rpc.call import current_call
from countersign_push.commands.announce_connectors import AnnounceConnectors
from countersign_push.commands.claim_ack_polls import ClaimAckPolls
from countersign_push.commands.claim_export import ClaimExport
from countersign_push.commands.claim_next import ClaimNext
from countersign_push.commands.connection_read import ListDropzones
from countersign_push.commands.connection_test_claim import ClaimConnectionTest
from countersign_push.commands.connection_test_report import ReportConnectionTest
from countersign_push.commands.keep_lease import ReleaseLease, RenewLease
from countersign_push.commands.put_off import ReportDeferred, ReportHeld
from countersign_push.commands.report_ack import ReportAck
from countersign_push.commands.report_failed import ReportFailed
from countersign_push.commands.report_sent import ReportSent
from countersign_push.commands.report_staged import ReportStaged
from countersign_push.commands.review_leftovers import ReviewLeftovers
from countersign_push.connection import ConnectionHealth
from countersign_push.export_record import status_message, timestamp
from countersign_push.plain_text import plain
from countersign_push.servicers import work_messages as wire
from countersign_push.servicers.batch_report import BatchReport
from countersign_push.servicers.connection_test_messages import to_stored
from countersign_push.servicers.connector_messages import announced

# What a long poll leaves of the caller's deadline, so that its reply still arrives.
_MARGIN = 0.5


@dataclass(frozen=True, slots=True)
class WorkCommands:
    """One command per RPC of WorkService."""

    claim_export: ClaimExport
    claim_next: ClaimNext
    renew_lease: RenewLease
    release_lease: ReleaseLease
    report_staged: ReportStaged
    report_sent: ReportSent
    report_failed: ReportFailed
    report_deferred: ReportDeferred
    report_held: ReportHeld
    report_ack: ReportAck
    review_leftovers: ReviewLeftovers
    list_dropzones: ListDropzones
    claim_ack_polls: ClaimAckPolls
    report_ack_poll: Callable[..., Awaitable[None]]
    note_health: Callable[[UUID, UUID, ConnectionHealth, str], Awaitable[None]]
    announce_connectors: AnnounceConnectors
    claim_connection_test: ClaimConnectionTest
    report_connection_test: ReportConnectionTest


class WorkServicer(WorkServiceServicer):
    """Request → command → reply."""

    def __init__(self, commands: WorkCommands) -> None:
        self._commands = commands
        self._batch = BatchReport(self)

    async def ClaimExport(  # noqa: N802 — the contract's name
        self, request: pb.ClaimExportRequest, context: Any
    ) -> pb.ClaimExportResponse:
        """See WorkService.ClaimExport."""
        del context
        assignment = await self._commands.claim_export(
            UUID(request.org_id), UUID(request.export_id), plain(request.worker_id)
        )
        if assignment is None:
            return pb.ClaimExportResponse()
        return pb.ClaimExportResponse(assignment=wire.assignment_message(assignment))

    async def ClaimNext(  # noqa: N802 — the contract's name
        self, request: pb.ClaimNextRequest, context: Any
    ) -> pb.ClaimNextResponse:
        """See WorkService.ClaimNext."""
        del context
        assignments = await self._commands.claim_next(
            plain(request.worker_id),
            request.max_assignments,
            _patience(request.wait_seconds),
            wire.room(request),
        )
        return pb.ClaimNextResponse(
            assignments=[wire.assignment_message(assignment) for assignment in assignments]
        )

    async def RenewLease(  # noqa: N802 — the contract's name
        self, request: pb.RenewLeaseRequest, context: Any
    ) -> pb.RenewLeaseResponse:
        """See WorkService.RenewLease."""
        del context
        end = await self._commands.renew_lease(wire.lease(request.lease))
        return pb.RenewLeaseResponse(leased_until=timestamp(end))

    async def ReleaseLease(  # noqa: N802 — the contract's name
        self, request: pb.ReleaseLeaseRequest, context: Any
    ) -> pb.ReleaseLeaseResponse:
        """See WorkService.ReleaseLease."""
        del context
        await self._commands.release_lease(wire.lease(request.lease))
        return pb.ReleaseLeaseResponse()

    async def ReportStaged(  # noqa: N802 — the contract's name
        self, request: pb.ReportStagedRequest, context: Any
    ) -> pb.ReportStagedResponse:
        """See WorkService.ReportStaged."""
        del context
        await self._commands.report_staged(
            wire.lease(request.lease),
            request.staged_name,
            bytes.fromhex(request.document_sha256),
        )
        return pb.ReportStagedResponse()

    async def ReportSent(  # noqa: N802 — the contract's name
        self, request: pb.ReportSentRequest, context: Any
    ) -> pb.ReportSentResponse:
        """See WorkService.ReportSent."""
        del context
        await self._commands.report_sent(wire.lease(request.lease), wire.evidence(request.evidence))
        return pb.ReportSentResponse()

    async def ReportFailed(  # noqa: N802 — the contract's name
        self, request: pb.ReportFailedRequest, context: Any
    ) -> pb.ReportFailedResponse:
        """See WorkService.ReportFailed."""
        del context
        await self._commands.report_failed(
            wire.lease(request.lease),
            wire.attempt_error(request.error),
            withdrawn=request.withdrawn,
        )
        return pb.ReportFailedResponse()

    async def ReportDeferred(  # noqa: N802 — the contract's name
        self, request: pb.ReportDeferredRequest, context: Any
    ) -> pb.ReportDeferredResponse:
        """See WorkService.ReportDeferred."""
        del context
        due = await self._commands.report_deferred(
            wire.lease(request.lease),
            wire.attempt_error(request.error),
            withdrawn=request.withdrawn,
            retry_after_seconds=request.retry_after_seconds,
        )
        return pb.ReportDeferredResponse(next_attempt_at=timestamp(due))

    async def ReportHeld(  # noqa: N802 — the contract's name
        self, request: pb.ReportHeldRequest, context: Any
    ) -> pb.ReportHeldResponse:
        """See WorkService.ReportHeld."""
        del context
        due = await self._commands.report_held(
            wire.lease(request.lease), wire.attempt_error(request.error)
        )
        return pb.ReportHeldResponse(next_attempt_at=timestamp(due))

    async def BatchReport(  # noqa: N802 — the contract's name
        self, request: pb.BatchReportRequest, context: Any
    ) -> pb.BatchReportResponse:
        """See WorkService.BatchReport."""
        return pb.BatchReportResponse(results=await self._batch(request.items, context))

    async def ReportAck(  # noqa: N802 — the contract's name
        self, request: pb.ReportAckRequest, context: Any
    ) -> pb.ReportAckResponse:
        """See WorkService.ReportAck."""
        del context
        status = await self._commands.report_ack(
            UUID(request.org_id),
            UUID(request.erp_connection_id),
            plain(request.file_name),
            wire.ack(request),
            UUID(request.export_id) if request.export_id else None,
        )
        return pb.ReportAckResponse(status=status_message(status))

    async def ReviewLeftovers(  # noqa: N802 — the contract's name
        self, request: pb.ReviewLeftoversRequest, context: Any
    ) -> pb.ReviewLeftoversResponse:
        """See WorkService.ReviewLeftovers."""
        del context
        removable = await self._commands.review_leftovers(
            UUID(request.org_id), [wire.leftover(item) for item in request.leftovers]
        )
        return pb.ReviewLeftoversResponse(removable=removable)

    async def ListDropzones(  # noqa: N802 — the contract's name
        self, request: pb.ListDropzonesRequest, context: Any
    ) -> pb.ListDropzonesResponse:
        """See WorkService.ListDropzones."""
        del request, context
        accesses = await self._commands.list_dropzones()
        return pb.ListDropzonesResponse(
            connections=[wire.access_message(access) for access in accesses]
        )

    async def ClaimAckPolls(  # noqa: N802 — the contract's name
        self, request: pb.ClaimAckPollsRequest, context: Any
    ) -> pb.ClaimAckPollsResponse:
        """See WorkService.ClaimAckPolls."""
        del context
        polls = await self._commands.claim_ack_polls(
            plain(request.worker_id), request.max_connections
        )
        return pb.ClaimAckPollsResponse(
            connections=[wire.access_message(poll.connection) for poll in polls],
            unsettled=[wire.unsettled_message(poll) for poll in polls if poll.unsettled],
        )

    async def ReportAckPoll(  # noqa: N802 — the contract's name
        self, request: pb.ReportAckPollRequest, context: Any
    ) -> pb.ReportAckPollResponse:
        """See WorkService.ReportAckPoll."""
        del context
        await self._commands.report_ack_poll(
            UUID(request.org_id),
            UUID(request.erp_connection_id),
            plain(request.worker_id),
            more=request.more,
            unsettled={plain(each.name): plain(each.state) for each in request.unsettled},
        )
        return pb.ReportAckPollResponse()

    async def ReportConnectionHealth(  # noqa: N802 — the contract's name
        self, request: pb.ReportConnectionHealthRequest, context: Any
    ) -> pb.ReportConnectionHealthResponse:
        """See WorkService.ReportConnectionHealth."""
        del context
        await self._commands.note_health(
            UUID(request.org_id),
            UUID(request.erp_connection_id),
            wire.health(request),
            plain(request.worker_id),
        )
        return pb.ReportConnectionHealthResponse()

    async def AnnounceConnectors(  # noqa: N802 — the contract's name
        self, request: pb.AnnounceConnectorsRequest, context: Any
    ) -> pb.AnnounceConnectorsResponse:
        """See WorkService.AnnounceConnectors."""
        del context
        await self._commands.announce_connectors(
            plain(request.worker_id), [announced(each) for each in request.connectors]
        )
        return pb.AnnounceConnectorsResponse()

    async def ClaimConnectionTest(  # noqa: N802 — the contract's name
        self, request: pb.ClaimConnectionTestRequest, context: Any
    ) -> pb.ClaimConnectionTestResponse:
        """See WorkService.ClaimConnectionTest."""
        del context
        claimed = await self._commands.claim_connection_test(
            plain(request.worker_id),
            _patience(request.wait_seconds),
            list(request.connector_types),
        )
        if claimed is None:
            return pb.ClaimConnectionTestResponse()
        test, access = claimed
        return pb.ClaimConnectionTestResponse(
            test_id=str(test.id), connection=wire.access_message(access)
        )

    async def ReportConnectionTest(  # noqa: N802 — the contract's name
        self, request: pb.ReportConnectionTestRequest, context: Any
    ) -> pb.ReportConnectionTestResponse:
        """See WorkService.ReportConnectionTest."""
        del context
        await self._commands.report_connection_test(
            UUID(request.org_id),
            UUID(request.test_id),
            to_stored(request.result),
        )
        return pb.ReportConnectionTestResponse()


def _patience(asked: float) -> float:
    remaining = current_call().remaining_seconds()
    return asked if remaining is None else max(min(asked, remaining - _MARGIN), 0.0)
