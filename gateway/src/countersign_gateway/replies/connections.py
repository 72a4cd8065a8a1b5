"""ERP connections without their secrets."""

from enum import StrEnum
from typing import Any

from pydantic import with_config
from typing_extensions import TypedDict

from countersign.push.v1 import connection_service_pb2 as connections
from countersign_gateway.replies.values import DOCUMENTED, json_object, moment, named, text


class ConnectionStatus(StrEnum):
    """Whether a connection takes pushes."""

    ACTIVE = "ACTIVE"
    DISABLED = "DISABLED"


_STATUSES = named(connections.ConnectionStatus, ConnectionStatus)


@with_config(DOCUMENTED)
class ConnectionTestStepReply(TypedDict):
    """One thing the test did."""

    name: str
    """connect, write, fsync, rename, read_back or delete."""
    ok: bool
    detail: str | None
    duration_ms: float


@with_config(DOCUMENTED)
class ConnectionTestReply(TypedDict):
    """What a test found."""

    ok: bool
    failure: str | None
    """Machine-readable kind of the failure, for example PERMISSION_DENIED."""
    message: str | None
    steps: list[ConnectionTestStepReply]
    """In order, up to the first failure."""
    capabilities: dict[str, str]
    """What the server can do, for example posix_rename = true."""
    clock_difference_ms: float
    """The server's clock minus ours."""


@with_config(DOCUMENTED)
class ConnectionReply(TypedDict):
    """Where exports go."""

    id: str
    name: str
    connector_type: str
    config: dict[str, Any] | None
    """The connector's settings."""
    secret_names: list[str]
    """Names of the secrets that are set; never their values."""
    status: ConnectionStatus
    version: int
    """Counts every change; send it back in If-Match."""
    created_at: str | None
    updated_at: str | None
    last_test_at: str | None
    last_test_result: ConnectionTestReply | None


class ConnectionListReply(TypedDict):
    """All connections of the org, newest first."""

    connections: list[ConnectionReply]


def connection_reply(connection: connections.Connection) -> ConnectionReply:
    """One connection."""
    tested = connection.HasField("last_test_result")
    return {
        "id": connection.id,
        "name": connection.name,
        "connector_type": connection.connector_type,
        "config": json_object(connection.config_json),
        "secret_names": list(connection.secret_names),
        "status": _STATUSES[connection.status],
        "version": connection.version,
        "created_at": moment(connection.created_at),
        "updated_at": moment(connection.updated_at),
        "last_test_at": moment(connection.last_test_at),
        "last_test_result": test_reply(connection.last_test_result) if tested else None,
    }


def list_reply(reply: connections.ListConnectionsResponse) -> ConnectionListReply:
    """All connections."""
    return {"connections": [connection_reply(each) for each in reply.connections]}


def test_reply(result: connections.ConnectionTestResult) -> ConnectionTestReply:
    """What a test found."""
    return {
        "ok": result.ok,
        "failure": text(result.failure),
        "message": text(result.message),
        "steps": [_step(step) for step in result.steps],
        "capabilities": dict(result.capabilities),
        "clock_difference_ms": result.clock_difference_ms,
    }


def _step(step: connections.ConnectionTestStep) -> ConnectionTestStepReply:
    return {
        "name": step.name,
        "ok": step.ok,
        "detail": text(step.detail),
        "duration_ms": step.duration_ms,
    }
