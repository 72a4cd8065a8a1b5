"""The one place that puts the audit service together."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from countersign.audit.v1 import audit_service_pb2_grpc as pb_grpc
from countersign_audit.access import ACCESS, SERVICE
from countersign_audit.commands.append_events import AppendEvents
from countersign_audit.commands.list_events import ListEvents
from countersign_audit.commands.verify_chain import VerifyChain
from countersign_audit.denials import Denials
from countersign_audit.partition_keeper import PartitionKeeper
from countersign_audit.servicer import AuditServicer
from countersign_audit.settings import AuditSettings
from countersign_audit.store import Store
from countersign_platform.auth.jwks import JwksSource
from countersign_platform.auth.verifier import TokenVerifier
from countersign_platform.database.pool import Database
from countersign_platform.probes import ProbeServer
from countersign_platform.rpc.server import RpcServer


@dataclass(frozen=True, slots=True)
class Ports:
    """What was bound."""

    rpc: int
    probe: int


class Service:
    """The running service: `start` once, `stop` once."""

    def __init__(
        self, server: RpcServer, probes: ProbeServer, keeper: PartitionKeeper, database: Database
    ) -> None:
        self._server = server
        self._probes = probes
        self._keeper = keeper
        self._database = database
        self._keeping: asyncio.Task[None] | None = None

    async def start(self) -> Ports:
        """Serves; answers with the ports that were bound."""
        self._keeping = asyncio.create_task(self._keeper.run())
        rpc = await self._server.start()
        return Ports(rpc=rpc, probe=await self._probes.start())

    async def stop(self) -> None:
        """Drains what is in flight, then lets go of everything."""
        await self._server.stop()
        if self._keeping is not None:
            self._keeping.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeping
        await self._probes.stop()
        await self._database.close()


async def build(settings: AuditSettings) -> Service:
    """The service, connected but not serving yet."""
    database = await Database.connect(settings, application_name="countersign-audit")
    store = Store(database)
    append_events = AppendEvents(store)
    server = RpcServer(settings, _verifier(settings), ACCESS, Denials(append_events, store.now))
    servicer = AuditServicer(append_events, ListEvents(store), VerifyChain(store))
    server.add(pb_grpc.add_AuditServiceServicer_to_server, servicer, SERVICE)
    keeper = PartitionKeeper(
        store,
        months_ahead=settings.partition_months_ahead,
        check_seconds=settings.partition_check_seconds,
    )
    return Service(server, _probes(settings, database), keeper, database)


def _verifier(settings: AuditSettings) -> TokenVerifier:
    return TokenVerifier(
        JwksSource(settings.jwks),
        issuer=settings.jwt_issuer,
        audience=settings.jwt_audience,
        algorithms=settings.jwt_algorithms,
    )


def _probes(settings: AuditSettings, database: Database) -> ProbeServer:
    async def ready() -> Mapping[str, bool]:
        return {"database": await database.is_ready()}

    return ProbeServer(settings.probe_listen, ready)
