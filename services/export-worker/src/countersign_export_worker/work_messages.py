"""WorkService's messages, to and from what the worker speaks."""

import json
import re
from uuid import UUID

from countersign.push.v1 import connection_service_pb2 as connection_pb
from countersign.push.v1 import export_pb2
from countersign.push.v1 import work_service_pb2 as pb
from countersign_export_worker.assignment import Assignment, ConnectionAccess, Lease
from countersign_export_worker.file_names import DropName
from countersign_export_worker.ports import (
    AckPoll,
    AttemptError,
    CheckReport,
    ConnectorType,
    Evidence,
    Room,
    Unsettled,
)

_CODE = re.compile(r"[A-Z][A-Z0-9_]{2,63}")
_MAX_MESSAGE = 1000


def lease_message(lease: Lease) -> pb.Lease:
    """The right to an export."""
    return pb.Lease(org_id=str(lease.org_id), export_id=str(lease.export_id), fence=lease.fence)


def error_message(error: AttemptError) -> pb.AttemptError:
    """Why an attempt failed. What a connector says amiss must not keep it off the record."""
    code = error.code if _CODE.fullmatch(error.code) else "INTERNAL"
    return pb.AttemptError(code=code, message=(error.message or code)[:_MAX_MESSAGE])


def evidence_value(evidence: Evidence) -> "export_pb2.DeliveryEvidence.ValueType":
    """How a delivery is known."""
    return export_pb2.DeliveryEvidence.Value(f"DELIVERY_EVIDENCE_{evidence}")


def leftover_message(name: DropName) -> pb.Leftover:
    """A temporary or withdrawn file."""
    return pb.Leftover(
        name=str(name),
        export_id=str(name.export_id),
        fence=name.fence,
        withdrawn=name.withdrawn,
    )


def room_message(room: Room, most: int) -> dict[str, int]:
    """How many exports of each connection the worker takes."""
    return {str(each): min(left, most) for each, left in room.by_connection.items()}


def breaker_value(state: str) -> "connection_pb.BreakerState.ValueType":
    """Whether a server answers."""
    return connection_pb.BreakerState.Value(f"BREAKER_STATE_{state}")


def connector_message(connector: ConnectorType) -> connection_pb.ConnectorType:
    """What a worker can serve."""
    return connection_pb.ConnectorType(
        connector_type=connector.connector_type,
        config_schema_json=json.dumps(dict(connector.config_schema)),
        secret_names=sorted(connector.secret_names),
        title=connector.title,
    )


def report_message(report: CheckReport) -> connection_pb.ConnectionTestResult:
    """What a connection test found."""
    return connection_pb.ConnectionTestResult(
        ok=report.ok,
        failure=report.failure,
        message=report.message,
        steps=[
            connection_pb.ConnectionTestStep(
                name=step.name, ok=step.ok, detail=step.detail, duration_ms=step.duration_ms
            )
            for step in report.steps
        ],
        capabilities=report.capabilities,
        clock_difference_ms=report.clock_difference_ms,
    )


def connection_of(message: pb.ConnectionAccess) -> ConnectionAccess:
    """A connection, secrets included."""
    return ConnectionAccess(
        id=UUID(message.id),
        org_id=UUID(message.org_id),
        connector_type=message.connector_type,
        config_json=message.config_json,
        secrets=dict(message.secrets),
        version=message.version,
        concurrency=message.concurrency,
    )


def ack_polls_of(message: pb.ClaimAckPollsResponse) -> list[AckPoll]:
    """The connections to look at, each with what was unsettled there."""
    unsettled = {
        each.erp_connection_id: {
            answer.name: Unsettled(answer.state, answer.unchanged_seconds)
            for answer in each.answers
        }
        for each in message.unsettled
    }
    return [
        AckPoll(connection_of(each), unsettled.get(each.id, {})) for each in message.connections
    ]


def assignment_of(message: pb.Assignment) -> Assignment:
    """One export to deliver."""
    lease = message.lease
    return Assignment(
        lease=Lease(UUID(lease.org_id), UUID(lease.export_id), lease.fence),
        lease_seconds=message.lease_seconds,
        attempt=message.attempt,
        last_attempt=message.last_attempt,
        file_name=message.file_name,
        document=message.document,
        document_sha256=message.document_sha256,
        content_sha256=message.content_sha256,
        staged_name=message.staged_name,
        connection=connection_of(message.connection),
        draft_order_id=UUID(message.draft_order_id),
        request_id=message.request_id,
        traceparent=message.traceparent,
        cancel_requested=message.cancel_requested,
    )
