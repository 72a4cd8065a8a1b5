"""The twin of push behind a real socket: the platform's server, tokens and validation."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

from countersign.push.v1 import connection_service_pb2 as connection_pb
from countersign.push.v1 import export_pb2
from countersign.push.v1 import work_service_pb2 as pb
from countersign.push.v1 import work_service_pb2_grpc as pb_grpc
from countersign_core.errors import CountersignError
from countersign_core.reasons import Reason
from countersign_core.roles import WORKERS
from countersign_export_worker.assignment import Assignment, ConnectionAccess, Lease
from countersign_export_worker.errors import LeaseLost, WorkRefused
from countersign_export_worker.file_names import parse_drop_name
from countersign_export_worker.ports import (
    AckFile,
    AttemptError,
    CheckReport,
    CheckStep,
    ConnectionTest,
    ConnectorType,
    ErpConnectorPort,
    Evidence,
    Room,
)
from countersign_export_worker.testing.work_twin import WorkTwin
from countersign_platform.auth.verifier import TokenVerifier
from countersign_platform.rpc.call import Call, current_call
from countersign_platform.rpc.problem import problem_of
from countersign_platform.rpc.server import RpcServer
from countersign_platform.settings import ServiceSettings

_SERVICE = "countersign.push.v1.WorkService"
_LOOK_AGAIN_SECONDS = 0.02


class WorkServer:
    """Serves a WorkTwin; `start` answers with the address for push_target."""

    def __init__(self, twin: WorkTwin, jwks: Path | str) -> None:
        """`jwks`: the key set that the worker's token verifies with."""
        settings = ServiceSettings(jwks=str(jwks), drain_seconds=1.0)
        methods = pb.DESCRIPTOR.services_by_name["WorkService"].methods
        access = {f"/{_SERVICE}/{method.name}": WORKERS for method in methods}
        self._server = RpcServer(settings, TokenVerifier.from_settings(settings), access)
        self.servicer = WorkServicer(twin)
        self._server.add(pb_grpc.add_WorkServiceServicer_to_server, self.servicer, _SERVICE)

    async def start(self) -> str:
        """Serve on a free port."""
        return f"127.0.0.1:{await self._server.start()}"

    async def stop(self) -> None:
        """Stop serving."""
        self.servicer.closing = True
        await self._server.stop()


class WorkServicer(pb_grpc.WorkServiceServicer):
    """Messages to the twin's words and back."""

    def __init__(self, twin: WorkTwin) -> None:
        self._twin = twin
        self.closing = False
        # As a push that knows no batches; as one whose reply to a batch is lost on the way.
        self.refuses_batches = False
        self.loses_batch_replies = False
        # Method name → number of calls that arrived, and the last of them.
        self.calls: Counter[str] = Counter()
        self.last: dict[str, Call] = {}

    async def ClaimExport(self, request: Any, _context: Any) -> Any:  # noqa: N802 — the RPC's name
        """See the proto."""
        assignment = await self._do(
            "ClaimExport",
            self._twin.claim_export(UUID(request.org_id), UUID(request.export_id)),
        )
        return pb.ClaimExportResponse(
            assignment=None if assignment is None else _assignment_message(assignment)
        )

    async def ClaimNext(self, request: Any, _context: Any) -> Any:  # noqa: N802 — the RPC's name
        """See the proto."""
        claimed = await self._wait(
            request.wait_seconds,
            lambda: self._do(
                "ClaimNext",
                self._twin.claim_next(request.max_assignments, 0, _room(request)),
            ),
        )
        return pb.ClaimNextResponse(assignments=map(_assignment_message, claimed or ()))

    async def RenewLease(self, request: Any, _context: Any) -> Any:  # noqa: N802 — the RPC's name
        """See the proto."""
        await self._do("RenewLease", self._twin.renew_lease(_lease(request)))
        return pb.RenewLeaseResponse()

    async def ReleaseLease(self, request: Any, _context: Any) -> Any:  # noqa: N802 — the RPC's name
        """See the proto."""
        await self._do("ReleaseLease", self._twin.release_lease(_lease(request)))
        return pb.ReleaseLeaseResponse()

    async def ReportStaged(self, request: Any, _context: Any) -> Any:  # noqa: N802 — the RPC's name
        """See the proto."""
        report = self._twin.report_staged(
            _lease(request), request.staged_name, request.document_sha256
        )
        await self._do("ReportStaged", report)
        return pb.ReportStagedResponse()

    async def ReportSent(self, request: Any, _context: Any) -> Any:  # noqa: N802 — the RPC's name
        """See the proto."""
        name = export_pb2.DeliveryEvidence.Name(request.evidence)
        evidence = Evidence(name.removeprefix("DELIVERY_EVIDENCE_"))
        await self._do("ReportSent", self._twin.report_sent(_lease(request), evidence))
        return pb.ReportSentResponse()

    async def ReportFailed(self, request: Any, _context: Any) -> Any:  # noqa: N802 — the RPC's name
        """See the proto."""
        report = self._twin.report_failed(
            _lease(request), _error(request), withdrawn=request.withdrawn
        )
        await self._do("ReportFailed", report)
        return pb.ReportFailedResponse()

    async def ReportDeferred(  # noqa: N802 — the RPC's name
        self, request: Any, _context: Any
    ) -> Any:
        """See the proto."""
        report = self._twin.report_deferred(
            _lease(request),
            replace(_error(request), retry_after_seconds=request.retry_after_seconds),
            withdrawn=request.withdrawn,
        )
        await self._do("ReportDeferred", report)
        return pb.ReportDeferredResponse()

    async def ReportHeld(self, request: Any, _context: Any) -> Any:  # noqa: N802 — the RPC's name
        """See the proto."""
        await self._do("ReportHeld", self._twin.report_held(_lease(request), _error(request)))
        return pb.ReportHeldResponse()

    async def BatchReport(self, request: Any, _context: Any) -> Any:  # noqa: N802 — the RPC's name
        """See the proto."""
        self.calls["BatchReport"] += 1
        if self.refuses_batches:
            raise CountersignError(Reason.INTERNAL, "no such method")
        results = [await self._report(item) for item in request.items]
        if self.loses_batch_replies:
            raise CountersignError(Reason.UNAVAILABLE, "the reply is lost")
        return pb.BatchReportResponse(results=results)

    async def _report(self, item: pb.BatchReportItem) -> pb.BatchReportResult:
        kind = item.WhichOneof("report") or ""
        try:
            await getattr(self, f"Report{kind.title()}")(getattr(item, kind), None)
        except CountersignError as error:
            return pb.BatchReportResult(problem=problem_of(error))
        return pb.BatchReportResult()

    async def ReportAck(self, request: Any, _context: Any) -> Any:  # noqa: N802 — the RPC's name
        """See the proto."""
        ack = AckFile(
            name=request.file_name,
            file_name=request.file_name,
            accepted=request.accepted,
            erp_order_id=request.erp_order_id,
            error=None if request.accepted else _error(request),
            export_id=UUID(request.export_id) if request.export_id else None,
        )
        await self._do("ReportAck", self._twin.report_ack(_named(request), ack))
        return pb.ReportAckResponse()

    async def ReviewLeftovers(  # noqa: N802 — the RPC's name
        self, request: Any, _context: Any
    ) -> Any:
        """See the proto."""
        parsed = (parse_drop_name(leftover.name) for leftover in request.leftovers)
        names = [name for name in parsed if name is not None]
        removable = await self._do(
            "ReviewLeftovers", self._twin.removable(UUID(request.org_id), names)
        )
        return pb.ReviewLeftoversResponse(removable=map(str, removable))

    async def ListDropzones(  # noqa: N802 — the RPC's name
        self, _request: Any, _context: Any
    ) -> Any:
        """See the proto."""
        dropzones = await self._do("ListDropzones", self._twin.list_dropzones())
        return pb.ListDropzonesResponse(connections=map(_access_message, dropzones))

    async def ClaimAckPolls(self, request: Any, _context: Any) -> Any:  # noqa: N802 — the RPC's name
        """See the proto."""
        polls = await self._do("ClaimAckPolls", self._twin.claim_ack_polls(request.max_connections))
        return pb.ClaimAckPollsResponse(
            connections=[_access_message(poll.connection) for poll in polls],
            unsettled=[
                pb.UnsettledAnswers(
                    erp_connection_id=str(poll.connection.id),
                    answers=[
                        pb.UnsettledAnswer(
                            name=name, state=each.state, unchanged_seconds=each.seconds
                        )
                        for name, each in poll.unsettled.items()
                    ],
                )
                for poll in polls
            ],
        )

    async def ReportAckPoll(self, request: Any, _context: Any) -> Any:  # noqa: N802 — the RPC's name
        """See the proto."""
        report = self._twin.report_ack_poll(
            _named(request),
            more=request.more,
            unsettled={each.name: each.state for each in request.unsettled},
        )
        await self._do("ReportAckPoll", report)
        return pb.ReportAckPollResponse()

    async def ReportConnectionHealth(  # noqa: N802 — the RPC's name
        self, request: Any, _context: Any
    ) -> Any:
        """See the proto."""
        name = connection_pb.BreakerState.Name(request.breaker)
        error = _error(request) if request.HasField("error") else None
        report = self._twin.report_health(
            _named(request), name.removeprefix("BREAKER_STATE_"), error
        )
        await self._do("ReportConnectionHealth", report)
        return pb.ReportConnectionHealthResponse()

    async def AnnounceConnectors(  # noqa: N802 — the RPC's name
        self, request: Any, _context: Any
    ) -> Any:
        """See the proto."""
        connectors = [
            ConnectorType(
                _not_here,
                json.loads(each.config_schema_json),
                frozenset(each.secret_names),
                each.title,
                each.connector_type,
            )
            for each in request.connectors
        ]
        await self._do("AnnounceConnectors", self._twin.announce_connectors(connectors))
        return pb.AnnounceConnectorsResponse()

    async def ClaimConnectionTest(  # noqa: N802 — the RPC's name
        self, request: Any, _context: Any
    ) -> Any:
        """See the proto."""
        test = await self._wait(
            request.wait_seconds,
            lambda: self._do("ClaimConnectionTest", self._twin.claim_connection_test(0)),
        )
        if test is None:
            return pb.ClaimConnectionTestResponse()
        return pb.ClaimConnectionTestResponse(
            test_id=str(test.test_id), connection=_access_message(test.connection)
        )

    async def ReportConnectionTest(  # noqa: N802 — the RPC's name
        self, request: Any, _context: Any
    ) -> Any:
        """See the proto."""
        result = request.result
        report = CheckReport(
            ok=result.ok,
            failure=result.failure,
            message=result.message,
            steps=tuple(
                CheckStep(step.name, step.ok, step.detail, step.duration_ms)
                for step in result.steps
            ),
            capabilities=dict(result.capabilities),
            clock_difference_ms=result.clock_difference_ms,
        )
        connection = ConnectionAccess(UUID(int=0), UUID(request.org_id), "", "{}")
        test = ConnectionTest(UUID(request.test_id), connection)
        await self._do("ReportConnectionTest", self._twin.report_connection_test(test, report))
        return pb.ReportConnectionTestResponse()

    async def _do(self, method: str, answer: Awaitable[Any]) -> Any:
        self.calls[method] += 1
        self.last[method] = current_call()
        try:
            return await answer
        except LeaseLost as error:
            raise CountersignError(Reason.LEASE_LOST, "The lease is lost") from error
        except WorkRefused as error:
            raise CountersignError(error.reason, str(error), **error.metadata) from error

    async def _wait(self, seconds: float, look: Callable[[], Awaitable[Any]]) -> Any:
        end = time.monotonic() + seconds
        while not (found := await look()):
            if self.closing or time.monotonic() >= end:
                break
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        return found


def _named(request: Any) -> ConnectionAccess:
    return ConnectionAccess(UUID(request.erp_connection_id), UUID(request.org_id), "", "{}")


def _room(request: Any) -> Room:
    rooms = {UUID(key): value for key, value in request.room_by_connection.items()}
    return Room(request.max_per_connection, rooms)


def _not_here(access: ConnectionAccess) -> ErpConnectorPort:
    raise NotImplementedError(access.connector_type)


def _lease(request: Any) -> Lease:
    lease = request.lease
    return Lease(UUID(lease.org_id), UUID(lease.export_id), lease.fence)


def _error(request: Any) -> AttemptError:
    return AttemptError(request.error.code, request.error.message)


def _access_message(access: ConnectionAccess) -> pb.ConnectionAccess:
    return pb.ConnectionAccess(
        id=str(access.id),
        org_id=str(access.org_id),
        connector_type=access.connector_type,
        config_json=access.config_json,
        secrets=dict(access.secrets),
        version=access.version,
        concurrency=access.concurrency,
    )


def _assignment_message(assignment: Assignment) -> pb.Assignment:
    lease = assignment.lease
    return pb.Assignment(
        lease=pb.Lease(org_id=str(lease.org_id), export_id=str(lease.export_id), fence=lease.fence),
        lease_seconds=assignment.lease_seconds,
        attempt=assignment.attempt,
        last_attempt=assignment.last_attempt,
        file_name=assignment.file_name,
        document=assignment.document,
        document_sha256=assignment.document_sha256,
        content_sha256=assignment.content_sha256,
        staged_name=assignment.staged_name,
        connection=_access_message(assignment.connection),
        request_id=assignment.request_id,
        traceparent=assignment.traceparent,
        cancel_requested=assignment.cancel_requested,
        draft_order_id=str(assignment.draft_order_id),
    )
