"""WorkService's messages, to and from what the use cases speak."""

from uuid import UUID

from countersign.push.v1 import connection_service_pb2 as connection_pb
from countersign.push.v1 import export_pb2
from countersign.push.v1 import work_service_pb2 as pb
from countersign_core.canonical_json import sha256_hex
from countersign_push.ack_step import Ack
from countersign_push.assignment import Assignment, ConnectionAccess
from countersign_push.commands.claim_ack_polls import AckPoll
from countersign_push.connection import BreakerState, ConnectionHealth
from countersign_push.export_record import timestamp
from countersign_push.lease import AttemptError, Lease
from countersign_push.leftovers import Leftover
from countersign_push.plain_text import plain
from countersign_push.servicers.settings_json import settings_json
from countersign_push.store.work import Room


def lease(message: pb.Lease) -> Lease:
    """The right to an export."""
    return Lease(UUID(message.org_id), UUID(message.export_id), message.fence)


def attempt_error(message: pb.AttemptError) -> AttemptError:
    """A worker's words about a failure."""
    return AttemptError(message.code, plain(message.message))


def evidence(value: "export_pb2.DeliveryEvidence.ValueType") -> str:
    """The stored name of a piece of evidence, for example RENAMED."""
    return export_pb2.DeliveryEvidence.Name(value).removeprefix("DELIVERY_EVIDENCE_")


def ack(request: pb.ReportAckRequest) -> Ack:
    """The ERP's answer; a refusal without words gets plain ones."""
    if request.accepted:
        return Ack(accepted=True, erp_order_id=plain(request.erp_order_id))
    return Ack(
        accepted=False,
        code=request.error.code or "ERP_REFUSED",
        message=plain(request.error.message) or "The ERP refused the file",
    )


def room(request: pb.ClaimNextRequest) -> Room:
    """How many exports of one connection the worker takes."""
    by_connection = {UUID(key): value for key, value in request.room_by_connection.items()}
    return Room(by_connection, request.max_per_connection)


def health(request: pb.ReportConnectionHealthRequest) -> ConnectionHealth:
    """What a worker saw of a server."""
    name = connection_pb.BreakerState.Name(request.breaker).removeprefix("BREAKER_STATE_")
    return ConnectionHealth(
        breaker=BreakerState(name),
        failure=request.error.code,
        message=plain(request.error.message),
    )


def leftover(message: pb.Leftover) -> Leftover:
    """A temporary file, as its name tells."""
    return Leftover(message.name, UUID(message.export_id), message.fence, message.withdrawn)


def access_message(access: ConnectionAccess) -> pb.ConnectionAccess:
    """A connection with its secrets, for a worker."""
    return pb.ConnectionAccess(
        id=str(access.id),
        org_id=str(access.org_id),
        connector_type=access.connector_type,
        config_json=settings_json(access.config),
        secrets=access.secrets,
        version=access.version,
        concurrency=access.concurrency or 0,
    )


def unsettled_message(poll: AckPoll) -> pb.UnsettledAnswers:
    """What made no sense at a connection when somebody last looked."""
    return pb.UnsettledAnswers(
        erp_connection_id=str(poll.connection.id),
        answers=[
            pb.UnsettledAnswer(name=name, state=each.state, unchanged_seconds=each.seconds)
            for name, each in poll.unsettled.items()
        ],
    )


def assignment_message(assignment: Assignment) -> pb.Assignment:
    """One export to deliver."""
    export = assignment.export
    return pb.Assignment(
        lease=pb.Lease(org_id=str(export.org_id), export_id=str(export.id), fence=export.fence),
        leased_until=timestamp(export.leased_until),
        lease_seconds=assignment.lease_seconds,
        attempt=export.attempt,
        last_attempt=assignment.last_attempt,
        file_name=export.file_name,
        document=assignment.document,
        document_sha256=sha256_hex(assignment.document),
        content_sha256=export.content_sha256.hex(),
        staged_name=export.staged_name or "",
        connection=access_message(assignment.connection),
        request_id=export.request_id,
        traceparent=export.traceparent or "",
        draft_order_id=str(export.draft_id),
        outcome_unknown_since=timestamp(export.outcome_unknown_since),
        cancel_requested=export.cancel_requested_at is not None,
    )
