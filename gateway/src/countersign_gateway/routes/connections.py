# ruff: noqa: FAST003 — `{id}` is read under a name that says whose id it is
"""ERP connections. Secrets are written, never read back."""

from collections.abc import Mapping

from fastapi import APIRouter, Response

from countersign.push.v1 import connection_service_pb2 as connections
from countersign_gateway.bodies.connections import (
    CreateConnectionBody,
    SwitchConnectionBody,
    UpdateConnectionBody,
    create_request,
    update_request,
)
from countersign_gateway.replies.connections import (
    ConnectionListReply,
    ConnectionReply,
    ConnectionTestReply,
    ConnectorListReply,
    connection_reply,
    connectors_reply,
    list_reply,
    test_reply,
)
from countersign_gateway.replies.responses import json_response
from countersign_gateway.route import GatewayRoute
from countersign_gateway.routes.parameters import Backends, ConnectionId, ExpectedVersion
from countersign_gateway.services import (
    CONNECTION_TEST_DEADLINE_SECONDS,
    DEADLINE_SECONDS,
    ask,
)

router = APIRouter(route_class=GatewayRoute, tags=["ERP connections"])


@router.get("/erp-connections", response_model=ConnectionListReply)
async def list_connections(services: Backends) -> Response:
    """All ERP connections, newest first."""
    request = connections.ListConnectionsRequest()
    return json_response(list_reply(await ask(services.connections.ListConnections, request)))


@router.post("/erp-connections", status_code=201, response_model=ConnectionReply)
async def create_connection(body: CreateConnectionBody, services: Backends) -> Response:
    """Make an ACTIVE connection, tested first if you ask for it."""
    made = await ask(
        services.connections.CreateConnection,
        create_request(body),
        seconds=_seconds(test=body.test_on_save),
    )
    location = f"/erp-connections/{made.connection.id}"
    return _connection(made.connection, status=201, headers={"Location": location})


@router.get("/erp-connectors", response_model=ConnectorListReply)
async def list_connectors(services: Backends) -> Response:
    """Connectors that can serve a connection: built in, or announced by a worker."""
    request = connections.ListConnectorsRequest()
    return json_response(connectors_reply(await ask(services.connections.ListConnectors, request)))


@router.get("/erp-connections/{id}", response_model=ConnectionReply)
async def get_connection(connection_id: ConnectionId, services: Backends) -> Response:
    """One ERP connection."""
    request = connections.GetConnectionRequest(erp_connection_id=str(connection_id))
    return _connection((await ask(services.connections.GetConnection, request)).connection)


@router.patch("/erp-connections/{id}", response_model=ConnectionReply)
async def update_connection(
    connection_id: ConnectionId,
    body: UpdateConnectionBody,
    expected: ExpectedVersion,
    services: Backends,
) -> Response:
    """Change an ERP connection, tested first if you ask for it."""
    changed = await ask(
        services.connections.UpdateConnection,
        update_request(connection_id, expected, body),
        seconds=_seconds(test=body.test_on_save),
    )
    return _connection(changed.connection)


@router.post("/erp-connections/{id}/test", response_model=ConnectionTestReply)
async def test_connection(connection_id: ConnectionId, services: Backends) -> Response:
    """Have a worker do at the connection what a delivery does, and wait for the result."""
    tested = await ask(
        services.connections.TestConnection,
        connections.TestConnectionRequest(erp_connection_id=str(connection_id)),
        seconds=CONNECTION_TEST_DEADLINE_SECONDS,
    )
    return json_response(test_reply(tested.result))


@router.post("/erp-connections/{id}/pause", response_model=ConnectionReply)
async def pause_connection(
    connection_id: ConnectionId, services: Backends, body: SwitchConnectionBody | None = None
) -> Response:
    """Have pushes wait; what is under way is finished. Idempotent."""
    request = connections.PauseConnectionRequest(
        erp_connection_id=str(connection_id), reason=body.reason if body else ""
    )
    return _connection((await ask(services.connections.PauseConnection, request)).connection)


@router.post("/erp-connections/{id}/resume", response_model=ConnectionReply)
async def resume_connection(
    connection_id: ConnectionId, services: Backends, body: SwitchConnectionBody | None = None
) -> Response:
    """Deliver what waits. Idempotent."""
    request = connections.ResumeConnectionRequest(
        erp_connection_id=str(connection_id), reason=body.reason if body else ""
    )
    return _connection((await ask(services.connections.ResumeConnection, request)).connection)


@router.post("/erp-connections/{id}/disable", response_model=ConnectionReply)
async def disable_connection(connection_id: ConnectionId, services: Backends) -> Response:
    """Push nothing new through it; what is under way is finished. Idempotent."""
    request = connections.DisableConnectionRequest(erp_connection_id=str(connection_id))
    return _connection((await ask(services.connections.DisableConnection, request)).connection)


def _connection(
    connection: connections.Connection,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    reply = connection_reply(connection)
    return json_response(reply, status=status, version=connection.version, headers=headers)


def _seconds(*, test: bool) -> float:
    return CONNECTION_TEST_DEADLINE_SECONDS if test else DEADLINE_SECONDS
