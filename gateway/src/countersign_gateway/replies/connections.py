"""ERP connections without their secrets."""

from enum import StrEnum
from typing import Any, cast

from pydantic import with_config
from typing_extensions import TypedDict

from countersign.push.v1 import connection_service_pb2 as connections
from countersign_gateway.replies.values import DOCUMENTED, json_object, moment, named, text


class ConnectionStatus(StrEnum):
    """Whether a connection takes pushes."""

    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    DISABLED = "DISABLED"


class BreakerState(StrEnum):
    """Whether workers try a connection's server."""

    CLOSED = "CLOSED"
    OPEN = "OPEN"
    HALF_OPEN = "HALF_OPEN"


_STATUSES = named(connections.ConnectionStatus, ConnectionStatus)
_BREAKERS = named(connections.BreakerState, BreakerState)


@with_config(DOCUMENTED)
class DeliveryTermsReply(TypedDict):
    """A connection's own limits; null: the installation's."""

    max_attempts: int | None
    """Attempts, after the last of which a transient failure ends the export."""
    first_delay_seconds: float | None
    """Delay after the first failed attempt; doubles with each."""
    longest_delay_seconds: float | None
    concurrency: int | None
    """Deliveries that one worker has under way to it at once."""
    ack_sla_seconds: float | None
    """How long after delivery the ERP's answer is overdue; null: never."""
    ack_poll_seconds: float | None
    """How often answers are looked for."""


@with_config(DOCUMENTED)
class ConnectionHealthReply(TypedDict):
    """What workers last said of a connection's server."""

    breaker: BreakerState
    since: str | None
    failure: str | None
    """Code of the failure that opened it, for example UNREACHABLE."""
    message: str | None


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
    terms: DeliveryTermsReply
    health: ConnectionHealthReply | None
    """Null when no worker said anything lately."""


class ConnectionListReply(TypedDict):
    """All connections of the org, newest first."""

    connections: list[ConnectionReply]


@with_config(DOCUMENTED)
class ConnectorReply(TypedDict):
    """A connector that can serve connections."""

    connector_type: str
    title: str | None
    config_schema: dict[str, Any] | None
    """JSON Schema of a connection's settings."""
    secret_names: list[str]
    """Names of the secrets that it can use."""


class ConnectorListReply(TypedDict):
    """All connectors, by type."""

    connectors: list[ConnectorReply]


def connectors_reply(reply: connections.ListConnectorsResponse) -> ConnectorListReply:
    """All connectors."""
    return {
        "connectors": [
            {
                "connector_type": each.connector_type,
                "title": text(each.title),
                "config_schema": json_object(each.config_schema_json),
                "secret_names": list(each.secret_names),
            }
            for each in reply.connectors
        ]
    }


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
        "terms": _terms(connection.terms),
        "health": _health(connection),
    }


def _terms(terms: connections.DeliveryTerms) -> DeliveryTermsReply:
    given = {field.name: value for field, value in terms.ListFields()}
    return cast(
        "DeliveryTermsReply",
        {name: given.get(name) for name in DeliveryTermsReply.__annotations__},
    )


def _health(connection: connections.Connection) -> ConnectionHealthReply | None:
    if not connection.HasField("health"):
        return None
    health = connection.health
    return {
        "breaker": _BREAKERS[health.breaker],
        "since": moment(health.since),
        "failure": text(health.failure),
        "message": text(health.message),
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
