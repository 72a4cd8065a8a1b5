"""The services behind the gateway, and how they are asked."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

import grpc.aio
from starlette.requests import Request

from countersign.approval.v1.approval_service_pb2_grpc import ApprovalServiceStub
from countersign.audit.v1.audit_service_pb2_grpc import AuditServiceStub
from countersign.audit.v1.seal_service_pb2_grpc import SealServiceStub
from countersign.push.v1.connection_service_pb2_grpc import ConnectionServiceStub
from countersign.push.v1.push_service_pb2_grpc import PushServiceStub
from countersign_gateway.caller import caller_token
from countersign_gateway.settings import GatewaySettings

if TYPE_CHECKING:  # the stubs of asyncio exist for type checkers only
    from countersign.approval.v1.approval_service_pb2_grpc import ApprovalServiceAsyncStub
    from countersign.audit.v1.audit_service_pb2_grpc import AuditServiceAsyncStub
    from countersign.audit.v1.seal_service_pb2_grpc import SealServiceAsyncStub
    from countersign.push.v1.connection_service_pb2_grpc import ConnectionServiceAsyncStub
    from countersign.push.v1.push_service_pb2_grpc import PushServiceAsyncStub
from countersign_platform.rpc.channel import MAX_MESSAGE_BYTES, open_channel
from countersign_platform.rpc.status import error_from_rpc

DEADLINE_SECONDS = 10.0
BATCH_DEADLINE_SECONDS = 30.0
# A worker has to pick the test up, reach the ERP's server and report back.
CONNECTION_TEST_DEADLINE_SECONDS = 20.0
VERIFY_DEADLINE_SECONDS = 30.0

_APPROVAL = "/countersign.approval.v1.ApprovalService/"
_PUSH = "/countersign.push.v1.PushService/"
_CONNECTION = "/countersign.push.v1.ConnectionService/"
_AUDIT = "/countersign.audit.v1.AuditService/"
_SEALS = "/countersign.audit.v1.SealService/"

# Repeated by the channel while a service is UNAVAILABLE: reads, and what the contract calls
# idempotent.
_SAFE_ON_APPROVAL = [
    _APPROVAL + name
    for name in (
        "SubmitDraft",
        "GetDraft",
        "GetDraftContent",
        "ListDrafts",
        "CountDrafts",
        "ValidateDraft",
        "GetApprovalPolicy",
        "SetApprovalPolicy",
    )
]
_SAFE_ON_PUSH = [
    *(
        _PUSH + name
        for name in ("GetExport", "ListExports", "GetExportStatistics", "PreviewExport")
    ),
    *(_CONNECTION + name for name in ("GetConnection", "ListConnections", "DisableConnection")),
]
_SAFE_ON_AUDIT = [
    *(_AUDIT + name for name in ("ListEvents", "VerifyChain")),
    *(
        _SEALS + name
        for name in ("ListCheckpoints", "ListSealKeys", "GetLegalHold", "SetLegalHold")
    ),
]

Q = TypeVar("Q")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Services:
    """A stub per service."""

    approval: "ApprovalServiceAsyncStub"
    push: "PushServiceAsyncStub"
    connections: "ConnectionServiceAsyncStub"
    audit: "AuditServiceAsyncStub"
    seals: "SealServiceAsyncStub"
    channels: tuple[grpc.aio.Channel, ...]

    async def close(self) -> None:
        """Closes every channel."""
        for channel in self.channels:
            await channel.close()


def open_services(settings: GatewaySettings) -> Services:
    """Channels that connect when they are first used and carry the caller's token along."""
    approval = _channel(settings.approval_target, _SAFE_ON_APPROVAL)
    push = _channel(settings.push_target, _SAFE_ON_PUSH)
    audit = _channel(settings.audit_target, _SAFE_ON_AUDIT)
    return Services(
        approval=ApprovalServiceStub(approval),
        push=PushServiceStub(push),
        connections=ConnectionServiceStub(push),
        audit=AuditServiceStub(audit),
        seals=SealServiceStub(audit),
        channels=(approval, push, audit),
    )


def services_of(request: Request) -> Services:
    """The services that this app was built with."""
    return cast("Services", request.app.state.services)


async def ask(
    method: grpc.aio.UnaryUnaryMultiCallable[Q, R],
    message: Q,
    *,
    seconds: float = DEADLINE_SECONDS,
    metadata: Iterable[tuple[str, str]] = (),
) -> R:
    """The service's reply, within `seconds`.

    Raises:
        CountersignError: the service refused, or could not be reached.
    """
    call = cast("Any", method)
    try:
        return cast("R", await call(message, timeout=seconds, metadata=metadata))
    except grpc.aio.AioRpcError as error:
        raise error_from_rpc(error) from error


def _channel(target: str, safe_methods: Iterable[str]) -> grpc.aio.Channel:
    return open_channel(
        target,
        token=caller_token,
        max_message_bytes=MAX_MESSAGE_BYTES,
        safe_methods=safe_methods,
    )
