"""The one place that puts the push service together."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import timedelta

import structlog

from countersign.push.v1 import (
    connection_service_pb2_grpc,
    push_service_pb2_grpc,
    work_service_pb2_grpc,
)
from countersign_platform.archive.opening import open_archive
from countersign_platform.archive.port import Archive
from countersign_platform.auth.service_token import ServiceToken
from countersign_platform.auth.verifier import TokenVerifier
from countersign_platform.database.pool import Database
from countersign_platform.outbox.audit_record import record_denied
from countersign_platform.outbox.audit_sender import AuditSender
from countersign_platform.outbox.lane import LanePolicy
from countersign_platform.outbox.relay import Relay
from countersign_platform.outbox.row import LANE_ARCHIVE, LANE_AUDIT, LANE_WORK
from countersign_platform.outbox.sender import Sender
from countersign_platform.probes import ProbeServer
from countersign_platform.rpc.channel import open_channel
from countersign_platform.rpc.server import RpcServer
from countersign_platform.rpc.service import Service
from countersign_push.access import ACCESS
from countersign_push.archive_backfill import ArchiveBackfill
from countersign_push.archive_sender import ArchiveSender, archive_policy
from countersign_push.commands.batch_push import BatchPush
from countersign_push.commands.export_document import GetExportDocument
from countersign_push.commands.export_statistics import GetExportStatistics
from countersign_push.commands.get_export import GetExport
from countersign_push.commands.intervene import CancelExport, ExpediteExport
from countersign_push.commands.list_exports import ListExports
from countersign_push.commands.preview_export import PreviewExport
from countersign_push.commands.push_draft import PushDraft
from countersign_push.commands.resolve_export import ResolveExport
from countersign_push.commands.retry_push import RetryPush
from countersign_push.hand_out import HandOut, build_hand_out
from countersign_push.no_replay_cache import NoReplayCache
from countersign_push.paced_wake import PacedWake
from countersign_push.ports import ReplayCache, WakeUp
from countersign_push.push_combiner import PushCombiner
from countersign_push.pusher import Pusher
from countersign_push.servicers.push import PushCommands, PushServicer
from countersign_push.settings import PushSettings
from countersign_push.store.archive import ArchiveStore
from countersign_push.store.exports import ExportStore
from countersign_push.store.interventions import InterventionStore
from countersign_push.store.push import PushStore
from countersign_push.store.push_findings import FindingsStore
from countersign_push.store.resolutions import ResolutionStore
from countersign_push.store.statistics import StatisticsStore
from countersign_push.wake_sender import WakeSender

SCHEMA = "push"
APPLICATION_NAME = "countersign-push"
# Two at once share less: a sixth more CPU per push at 32 callers, for a tenth less throughput.
_STATEMENTS = 1
_WAKE_PACE_SECONDS = 0.05
_log = structlog.get_logger(__name__)
_APPEND_EVENTS = "/countersign.audit.v1.AuditService/AppendEvents"


async def build(settings: PushSettings) -> Service:
    """The service, connected but not serving yet."""
    async with AsyncExitStack() as opened:
        database = await Database.connect(settings, APPLICATION_NAME)
        opened.push_async_callback(database.close)
        replays = _replay_cache(settings)
        opened.push_async_callback(replays.close)

        def wake_relay() -> None:
            relay.wake()

        hand_out = build_hand_out(settings, database, wake_relay)
        archive = open_archive(settings)
        senders: dict[str, Sender] = {
            LANE_AUDIT: _audit_sender(settings, opened),
            LANE_WORK: _work_sender(settings, hand_out, opened),
        }
        loops = hand_out.loops()
        if archive is None:
            _log.warning("documents_are_not_archived", setting="COUNTERSIGN_ARCHIVE_URL")
        else:
            store = ArchiveStore(database)
            senders[LANE_ARCHIVE] = ArchiveSender(archive, ExportStore(database), store)
            loops.append(ArchiveBackfill(store, wake_relay, settings.archive_backfill_seconds).run)
        policies = {LANE_ARCHIVE: archive_policy(settings.archive_timeout_seconds)}
        if settings.broker_url is not None:
            # Somebody waits for the file; nobody does for the trail or the archive.
            policies[LANE_WORK] = LanePolicy(pace_seconds=_WAKE_PACE_SECONDS)
        relay = Relay(database, SCHEMA, senders, policies=policies)
        key_lifetime = timedelta(hours=settings.idempotency_key_hours)
        pushes = build_push_servicer(
            database,
            replays,
            wake_relay,
            key_lifetime,
            hand_out.exports_room.wake,
            archive=archive,
            tell_workers=_tell_workers(settings, hand_out),
        )
        verifier = TokenVerifier.from_settings(settings)
        server = RpcServer(settings, verifier, ACCESS, record_denied(database, SCHEMA))
        _add_services(server, pushes, hand_out)
        return Service(
            server,
            _probes(settings, database, verifier),
            [*loops, relay.run],
            opened.pop_all(),
            # Or the long polls of workers would hold the drain up.
            before_drain=hand_out.close,
        )


def build_push_servicer(
    database: Database,
    replays: ReplayCache,
    wake_relay: WakeUp,
    key_lifetime: timedelta,
    wake_workers: WakeUp,
    *,
    archive: Archive | None = None,
    tell_workers: WakeUp | None = None,
) -> PushServicer:
    """PushService over `database`; `wake_relay` is called after each commit.

    `tell_workers`: called after each push instead of a message to them.
    """

    def wake_all() -> None:
        wake_relay()
        if tell_workers is not None:
            tell_workers()

    resolutions = ResolutionStore(database, archived=archive is not None)
    exports = ExportStore(database)
    interventions = InterventionStore(database)
    woken = {"wake_relay": wake_relay, "wake_workers": wake_workers}
    pushes = PushCombiner(PushStore(database, key_lifetime), statements=_STATEMENTS)
    pusher = Pusher(
        pushes, FindingsStore(database), replays, wake_all, announce=tell_workers is None
    )
    return PushServicer(
        PushCommands(
            push=PushDraft(pusher),
            retry=RetryPush(pusher),
            batch=BatchPush(pusher),
            get=GetExport(exports),
            list=ListExports(exports),
            statistics=GetExportStatistics(StatisticsStore(database)),
            preview=PreviewExport(exports),
            expedite=ExpediteExport(exports, interventions, **woken),
            cancel=CancelExport(exports, interventions, **woken),
            document=GetExportDocument(exports, archive),
            resolve=ResolveExport(exports, resolutions, wake_relay),
        )
    )


def _tell_workers(settings: PushSettings, hand_out: HandOut) -> WakeUp | None:
    """None with a broker: the message that is written with the push tells them."""
    if settings.broker_url is not None:
        return None
    return PacedWake(hand_out.exports_room.wake, _WAKE_PACE_SECONDS)


def _add_services(server: RpcServer, pushes: PushServicer, hand_out: HandOut) -> None:
    server.add(
        push_service_pb2_grpc.add_PushServiceServicer_to_server,
        pushes,
        "countersign.push.v1.PushService",
    )
    server.add(
        connection_service_pb2_grpc.add_ConnectionServiceServicer_to_server,
        hand_out.connections,
        "countersign.push.v1.ConnectionService",
    )
    server.add(
        work_service_pb2_grpc.add_WorkServiceServicer_to_server,
        hand_out.work,
        "countersign.push.v1.WorkService",
    )


def _replay_cache(settings: PushSettings) -> ReplayCache:
    if settings.redis_url is None:
        return NoReplayCache()
    # Clients of servers that are not configured are not loaded: half a second of start-up each.
    from countersign_push.replay_cache import RedisReplayCache  # noqa: PLC0415

    url = settings.redis_url.get_secret_value()
    return RedisReplayCache.connect(url, settings.redis_timeout_seconds)


def _audit_sender(settings: PushSettings, opened: AsyncExitStack) -> Sender:
    token = ServiceToken(settings.service_token_file)
    channel = open_channel(settings.audit_target, token=token.value, safe_methods=[_APPEND_EVENTS])
    opened.push_async_callback(channel.close)
    return AuditSender(channel)


def _work_sender(settings: PushSettings, hand_out: HandOut, opened: AsyncExitStack) -> Sender:
    if settings.broker_url is None:
        return WakeSender(hand_out.exports_room.wake)
    from countersign_platform.broker.publisher import Publisher  # noqa: PLC0415 — as above
    from countersign_platform.outbox.broker_sender import BrokerSender  # noqa: PLC0415

    publisher = Publisher(settings.broker_url.get_secret_value(), APPLICATION_NAME)
    opened.push_async_callback(publisher.close)
    return BrokerSender(publisher)


def _probes(settings: PushSettings, database: Database, verifier: TokenVerifier) -> ProbeServer:
    async def ready() -> Mapping[str, bool]:
        # Neither broker, Redis nor the audit service: pushes are accepted without them.
        return {"database": await database.is_ready(), "keys": await verifier.ready()}

    return ProbeServer(settings.probe_listen, ready)
