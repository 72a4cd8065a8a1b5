"""The one place that puts the approval service together."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial

from countersign.approval.v1 import approval_service_pb2_grpc as pb_grpc
from countersign_approval.access import ACCESS, SERVICE
from countersign_approval.audit_guard import AuditGuard
from countersign_approval.commands.approval_policy import GetApprovalPolicy, SetApprovalPolicy
from countersign_approval.commands.approve_drafts import ApproveDrafts
from countersign_approval.commands.count_drafts import CountDrafts
from countersign_approval.commands.edit_draft import EditDraft
from countersign_approval.commands.edit_draft_line import EditDraftLine
from countersign_approval.commands.get_content import GetContent
from countersign_approval.commands.get_draft import GetDraft
from countersign_approval.commands.list_drafts import ListDrafts
from countersign_approval.commands.reject_draft import RejectDraft
from countersign_approval.commands.revoke_approval import RevokeApproval
from countersign_approval.commands.submit_draft import SubmitDraft
from countersign_approval.commands.validate_draft import ValidateDraft
from countersign_approval.ports import WakeUp
from countersign_approval.reviser import Reviser
from countersign_approval.servicer import ApprovalServicer, Commands
from countersign_approval.settings import ApprovalSettings
from countersign_approval.status_feed import StatusFeed
from countersign_approval.store.approvals import ApprovalStore
from countersign_approval.store.contents import ContentStore
from countersign_approval.store.drafts import DraftStore
from countersign_approval.store.listing import ListingStore
from countersign_approval.store.policies import PolicyStore
from countersign_approval.store.status_changes import StatusChangeStore
from countersign_approval.sweeper import Sweeper
from countersign_platform.auth.service_token import ServiceToken
from countersign_platform.auth.verifier import TokenVerifier
from countersign_platform.database.pool import Database
from countersign_platform.outbox.audit_record import record_denied
from countersign_platform.outbox.audit_sender import AuditSender
from countersign_platform.outbox.relay import MEASURE_SECONDS, Relay
from countersign_platform.outbox.row import LANE_AUDIT
from countersign_platform.probes import ProbeServer
from countersign_platform.rpc.channel import open_channel
from countersign_platform.rpc.server import RpcServer
from countersign_platform.rpc.service import Service

SCHEMA = "approval"


async def build(settings: ApprovalSettings) -> Service:
    """The service, connected but not serving yet."""
    opened = AsyncExitStack()
    database = await Database.connect(settings, application_name="countersign-approval")
    opened.push_async_callback(database.close)
    audit = open_channel(
        settings.audit_target, token=ServiceToken(settings.service_token_file).value
    )
    opened.push_async_callback(audit.close)
    limit = settings.audit_lag_limit_seconds
    relay = Relay(
        database,
        SCHEMA,
        {LANE_AUDIT: AuditSender(audit)},
        # Often enough for the limit to mean what it says.
        measure_seconds=MEASURE_SECONDS if limit is None else min(MEASURE_SECONDS, limit / 4),
    )
    guard = AuditGuard(limit, partial(relay.lag_seconds, LANE_AUDIT))
    changes = _status_changes(settings, database)
    feed = StatusFeed(
        changes,
        poll_seconds=settings.watch_poll_seconds,
        heartbeat_seconds=settings.watch_heartbeat_seconds,
    )
    server = RpcServer(
        settings, TokenVerifier.from_settings(settings), ACCESS, record_denied(database, SCHEMA)
    )
    servicer = ApprovalServicer(_commands(database, feed, relay.wake, guard))
    server.add(pb_grpc.add_ApprovalServiceServicer_to_server, servicer, SERVICE)
    loops = [relay.run, _sweeper(settings, changes).run]
    return Service(server, _probes(settings, database), loops, opened)


def _commands(database: Database, feed: StatusFeed, wake: WakeUp, guard: AuditGuard) -> Commands:
    drafts = DraftStore(database)
    policies = PolicyStore(database)
    reviser = Reviser(drafts, wake)
    return Commands(
        submit=SubmitDraft(drafts, wake),
        get=GetDraft(drafts),
        get_content=GetContent(ContentStore(database)),
        list=ListDrafts(ListingStore(database)),
        count=CountDrafts(ListingStore(database)),
        edit=EditDraft(reviser),
        edit_line=EditDraftLine(reviser),
        validate=ValidateDraft(reviser),
        approve=ApproveDrafts(ApprovalStore(database), wake, guard),
        revoke=RevokeApproval(reviser),
        reject=RejectDraft(reviser),
        get_policy=GetApprovalPolicy(policies),
        set_policy=SetApprovalPolicy(policies, wake),
        feed=feed,
    )


def _status_changes(settings: ApprovalSettings, database: Database) -> StatusChangeStore:
    # Longer than any transaction that moves a draft: those have two statements at most.
    overlap = timedelta(seconds=2 * settings.statement_timeout_seconds)
    return StatusChangeStore(database, overlap)


def _sweeper(settings: ApprovalSettings, changes: StatusChangeStore) -> Sweeper:
    age = timedelta(hours=settings.status_changes_kept_hours)
    return Sweeper(changes, age=age, every_seconds=settings.sweep_seconds)


def _probes(settings: ApprovalSettings, database: Database) -> ProbeServer:
    async def ready() -> Mapping[str, bool]:
        return {"database": await database.is_ready()}

    return ProbeServer(settings.probe_listen, ready)
