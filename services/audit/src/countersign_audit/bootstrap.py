"""The one place that puts the audit service together."""

from collections.abc import Mapping
from contextlib import AsyncExitStack

import structlog

from countersign.audit.v1 import audit_service_pb2_grpc as pb_grpc
from countersign.audit.v1 import seal_service_pb2_grpc as seal_grpc
from countersign_audit.access import ACCESS, SEALS, SERVICE
from countersign_audit.checkpoint_maker import Cadence, CheckpointMaker
from countersign_audit.commands.append_events import AppendEvents
from countersign_audit.commands.export_events import ExportEvents
from countersign_audit.commands.legal_hold import LegalHold
from countersign_audit.commands.list_checkpoints import ListCheckpoints
from countersign_audit.commands.list_events import ListEvents
from countersign_audit.commands.verify_chain import VerifyChain
from countersign_audit.denials import Denials
from countersign_audit.month_remover import MonthRemover
from countersign_audit.own_acts import OwnActs
from countersign_audit.partition_keeper import PartitionKeeper
from countersign_audit.ports import SealArchive
from countersign_audit.seal_archive import ArchivedCopies, NoArchive
from countersign_audit.seal_archiver import SealArchiver
from countersign_audit.seal_keeper import SealKeeper, Step
from countersign_audit.seal_servicer import SealServicer
from countersign_audit.servicer import AuditServicer
from countersign_audit.settings import SHORTEST_RETENTION_DAYS, AuditSettings
from countersign_audit.store import HoldStore, MonthStore, SealStore, Store
from countersign_platform.archive.opening import open_archive
from countersign_platform.auth.verifier import TokenVerifier
from countersign_platform.database.pool import Database
from countersign_platform.probes import ProbeServer
from countersign_platform.rpc.server import RpcServer
from countersign_platform.rpc.service import Service

_log = structlog.get_logger(__name__)


async def build(settings: AuditSettings) -> Service:
    """The service, connected but not serving yet."""
    opened = AsyncExitStack()
    database = await Database.connect(settings, application_name="countersign-audit")
    opened.push_async_callback(database.close)
    store, seals, archive = Store(database), SealStore(database), _archive(settings)
    append_events = AppendEvents(store)
    own_acts = OwnActs(append_events, store.now)
    server = RpcServer(settings, TokenVerifier.from_settings(settings), ACCESS, Denials(own_acts))
    verify_chain = VerifyChain(store, seals, archive, settings.public_keys)
    servicer = AuditServicer(
        append_events, ListEvents(store), ExportEvents(store, own_acts), verify_chain
    )
    server.add(pb_grpc.add_AuditServiceServicer_to_server, servicer, SERVICE)
    seal_servicer = SealServicer(
        ListCheckpoints(seals), LegalHold(HoldStore(database)), settings.public_keys
    )
    server.add(seal_grpc.add_SealServiceServicer_to_server, seal_servicer, SEALS)
    loops = [
        _partition_keeper(settings, store).run,
        *(keeper.run for keeper in _seal_keepers(settings, seals, archive)),
    ]
    if settings.audit_retention_days is not None:
        loops.append(_month_keeper(settings, MonthStore(database), verify_chain).run)
    return Service(server, _probes(settings, database), loops, opened)


def _archive(settings: AuditSettings) -> SealArchive:
    archive = open_archive(settings)
    if archive is None:
        _log.warning("no_archive", why="ARCHIVE_URL is not set: seals are in the database alone")
        return NoArchive()
    return ArchivedCopies(archive)


def _partition_keeper(settings: AuditSettings, store: Store) -> PartitionKeeper:
    return PartitionKeeper(
        store,
        months_ahead=settings.partition_months_ahead,
        check_seconds=settings.partition_check_seconds,
    )


def _seal_keepers(
    settings: AuditSettings, store: SealStore, archive: SealArchive
) -> list[SealKeeper]:
    """One each: under load there is always a checkpoint due, and none may wait for the last."""
    cadence = Cadence(settings.audit_checkpoint_events, settings.audit_checkpoint_seconds)
    maker = CheckpointMaker(store, settings.sealing_key, cadence)
    steps: list[dict[str, Step]] = [{"checkpoints_made": maker.make_due}]
    if not isinstance(archive, NoArchive):
        steps.append({"seals_archived": SealArchiver(store, archive).bring_all})
    return [SealKeeper(each, settings.audit_checkpoint_check_seconds) for each in steps]


def _month_keeper(
    settings: AuditSettings, months: MonthStore, verify_chain: VerifyChain
) -> SealKeeper:
    days = settings.audit_retention_days or SHORTEST_RETENTION_DAYS
    remover = MonthRemover(months, verify_chain, settings.sealing_key, days)
    steps: dict[str, Step] = {"events_removed": remover.remove_due}
    return SealKeeper(steps, settings.audit_retention_check_seconds)


def _probes(settings: AuditSettings, database: Database) -> ProbeServer:
    async def ready() -> Mapping[str, bool]:
        return {"database": await database.is_ready()}

    return ProbeServer(settings.probe_listen, ready)
