"""ConnectionService: request → command → reply."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from countersign.push.v1 import connection_service_pb2 as pb
from countersign.push.v1.connection_service_pb2_grpc import ConnectionServiceServicer
from countersign_platform.rpc.call import current_call
from countersign_push.commands.announce_connectors import ListConnectors
from countersign_push.commands.connection_change import ChangeConnection, ConnectionChange
from countersign_push.commands.connection_create import CreateConnection, NewConnection
from countersign_push.commands.connection_read import ReadConnections
from countersign_push.commands.connection_test_ask import AskConnectionTest
from countersign_push.connection import (
    Connection,
    ConnectionHealth,
    ConnectionStatus,
    DeliveryTerms,
)
from countersign_push.export_record import timestamp
from countersign_push.servicers.connection_test_messages import to_message
from countersign_push.servicers.connector_messages import to_message as connector_message
from countersign_push.servicers.settings_json import settings_json


@dataclass(frozen=True, slots=True)
class ConnectionCommands:
    """What ConnectionService can do."""

    create: CreateConnection
    change: ChangeConnection
    read: ReadConnections
    test: AskConnectionTest
    connectors: ListConnectors
    wake_workers: Callable[[], None]


_IN_USE = frozenset({ConnectionStatus.ACTIVE, ConnectionStatus.PAUSED})


class ConnectionServicer(ConnectionServiceServicer):
    """Connections of the caller's org."""

    def __init__(self, commands: ConnectionCommands) -> None:
        self._commands = commands

    async def CreateConnection(  # noqa: N802 — the contract's name
        self, request: pb.CreateConnectionRequest, context: Any
    ) -> pb.CreateConnectionResponse:
        """See ConnectionService.CreateConnection."""
        del context
        wanted = NewConnection(
            name=request.name,
            connector_type=request.connector_type,
            config_json=request.config_json,
            secrets=dict(request.secrets),
            test_on_save=request.test_on_save,
            terms=_terms(request.terms),
        )
        stored = await self._commands.create(current_call(), wanted)
        return pb.CreateConnectionResponse(connection=connection_message(stored))

    async def GetConnection(  # noqa: N802 — the contract's name
        self, request: pb.GetConnectionRequest, context: Any
    ) -> pb.GetConnectionResponse:
        """See ConnectionService.GetConnection."""
        del context
        found = await self._commands.read.one(
            current_call().org_id, UUID(request.erp_connection_id)
        )
        return pb.GetConnectionResponse(connection=connection_message(found))

    async def ListConnections(  # noqa: N802 — the contract's name
        self, request: pb.ListConnectionsRequest, context: Any
    ) -> pb.ListConnectionsResponse:
        """See ConnectionService.ListConnections."""
        del request, context
        found = await self._commands.read.all(current_call().org_id)
        return pb.ListConnectionsResponse(connections=[connection_message(c) for c in found])

    async def UpdateConnection(  # noqa: N802 — the contract's name
        self, request: pb.UpdateConnectionRequest, context: Any
    ) -> pb.UpdateConnectionResponse:
        """See ConnectionService.UpdateConnection."""
        del context
        stored = await self._commands.change(
            current_call(), UUID(request.erp_connection_id), _change(request)
        )
        return pb.UpdateConnectionResponse(connection=connection_message(stored))

    async def PauseConnection(  # noqa: N802 — the contract's name
        self, request: pb.PauseConnectionRequest, context: Any
    ) -> pb.PauseConnectionResponse:
        """See ConnectionService.PauseConnection."""
        del context
        stored = await self._switch(request, ConnectionStatus.PAUSED)
        return pb.PauseConnectionResponse(connection=connection_message(stored))

    async def ResumeConnection(  # noqa: N802 — the contract's name
        self, request: pb.ResumeConnectionRequest, context: Any
    ) -> pb.ResumeConnectionResponse:
        """See ConnectionService.ResumeConnection."""
        del context
        stored = await self._switch(request, ConnectionStatus.ACTIVE)
        self._commands.wake_workers()
        return pb.ResumeConnectionResponse(connection=connection_message(stored))

    async def _switch(
        self,
        request: pb.PauseConnectionRequest | pb.ResumeConnectionRequest,
        status: ConnectionStatus,
    ) -> Connection:
        change = ConnectionChange(status=status, reason=request.reason, only_from=_IN_USE)
        return await self._commands.change(current_call(), UUID(request.erp_connection_id), change)

    async def ListConnectors(  # noqa: N802 — the contract's name
        self, request: pb.ListConnectorsRequest, context: Any
    ) -> pb.ListConnectorsResponse:
        """See ConnectionService.ListConnectors."""
        del request, context
        found = await self._commands.connectors()
        return pb.ListConnectorsResponse(connectors=[connector_message(each) for each in found])

    async def DisableConnection(  # noqa: N802 — the contract's name
        self, request: pb.DisableConnectionRequest, context: Any
    ) -> pb.DisableConnectionResponse:
        """See ConnectionService.DisableConnection."""
        del context
        stored = await self._commands.change(
            current_call(),
            UUID(request.erp_connection_id),
            ConnectionChange(status=ConnectionStatus.DISABLED),
        )
        return pb.DisableConnectionResponse(connection=connection_message(stored))

    async def TestConnection(  # noqa: N802 — the contract's name
        self, request: pb.TestConnectionRequest, context: Any
    ) -> pb.TestConnectionResponse:
        """See ConnectionService.TestConnection."""
        del context
        result = await self._commands.test(current_call(), UUID(request.erp_connection_id))
        return pb.TestConnectionResponse(result=to_message(result))


def connection_message(connection: Connection) -> pb.Connection:
    """The connection as people see it: names of its secrets, never their values."""
    tested = connection.last_test_result
    return pb.Connection(
        id=str(connection.id),
        name=connection.name,
        connector_type=connection.connector_type,
        config_json=settings_json(connection.config),
        secret_names=connection.secret_names,
        status=pb.ConnectionStatus.Value(f"CONNECTION_STATUS_{connection.status}"),
        version=connection.version,
        created_at=timestamp(connection.created_at),
        updated_at=timestamp(connection.updated_at),
        last_test_at=timestamp(connection.last_test_at),
        last_test_result=None if tested is None else to_message(tested),
        terms=pb.DeliveryTerms(**connection.terms.given()),
        health=None if connection.health is None else _health(connection.health),
    )


def _health(health: ConnectionHealth) -> pb.ConnectionHealth:
    return pb.ConnectionHealth(
        breaker=pb.BreakerState.Value(f"BREAKER_STATE_{health.breaker}"),
        since=timestamp(health.since),
        failure=health.failure,
        message=health.message,
    )


def _terms(message: pb.DeliveryTerms) -> DeliveryTerms:
    return DeliveryTerms(**{field.name: value for field, value in message.ListFields()})


def _change(request: pb.UpdateConnectionRequest) -> ConnectionChange:
    has = request.HasField
    return ConnectionChange(
        expected_version=request.expected_version if has("expected_version") else None,
        name=request.name if has("name") else None,
        config_json=request.config_json if has("config_json") else None,
        secrets=dict(request.secrets),
        status=_status(request.status),
        terms=_terms(request.terms) if has("terms") else None,
        test_on_save=request.test_on_save,
    )


def _status(value: "pb.ConnectionStatus.ValueType") -> ConnectionStatus | None:
    if value == pb.CONNECTION_STATUS_UNSPECIFIED:
        return None
    return ConnectionStatus(pb.ConnectionStatus.Name(value).removeprefix("CONNECTION_STATUS_"))
