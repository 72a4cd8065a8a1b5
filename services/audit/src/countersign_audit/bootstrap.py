"""The one place that puts the audit service together."""

from collections.abc import Mapping
from contextlib import AsyncExitStack

from countersign.audit.v1 import audit_service_pb2_grpc as pb_grpc
from countersign_audit.access import ACCESS, SERVICE
from countersign_audit.commands.append_events import AppendEvents
from countersign_audit.commands.export_events import ExportEvents
from countersign_audit.commands.list_events import ListEvents
from countersign_audit.commands.verify_chain import VerifyChain
from countersign_audit.denials import Denials
from countersign_audit.own_acts import OwnActs
from countersign_audit.partition_keeper import PartitionKeeper
from countersign_audit.servicer import AuditServicer
from countersign_audit.settings import AuditSettings
from countersign_audit.store import Store
from countersign_platform.auth.verifier import TokenVerifier
from countersign_platform.database.pool import Database
from countersign_platform.probes import ProbeServer
from countersign_platform.rpc.server import RpcServer
from countersign_platform.rpc.service import Service


async def build(settings: AuditSettings) -> Service:
    """The service, connected but not serving yet."""
    opened = AsyncExitStack()
    database = await Database.connect(settings, application_name="countersign-audit")
    opened.push_async_callback(database.close)
    store = Store(database)
    append_events = AppendEvents(store)
    own_acts = OwnActs(append_events, store.now)
    server = RpcServer(settings, TokenVerifier.from_settings(settings), ACCESS, Denials(own_acts))
    servicer = AuditServicer(
        append_events, ListEvents(store), ExportEvents(store, own_acts), VerifyChain(store)
    )
    server.add(pb_grpc.add_AuditServiceServicer_to_server, servicer, SERVICE)
    keeper = PartitionKeeper(
        store,
        months_ahead=settings.partition_months_ahead,
        check_seconds=settings.partition_check_seconds,
    )
    return Service(server, _probes(settings, database), [keeper.run], opened)


def _probes(settings: AuditSettings, database: Database) -> ProbeServer:
    async def ready() -> Mapping[str, bool]:
        return {"database": await database.is_ready()}

    return ProbeServer(settings.probe_listen, ready)
