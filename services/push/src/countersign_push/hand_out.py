"""Puts the hand-out of work and the connections together; bootstrap.py calls it once."""

from collections.abc import Callable
from dataclasses import dataclass

from countersign_platform.database.pool import Database
from countersign_platform.rpc.service import Loop
from countersign_push.claimed_exports import ClaimedExports
from countersign_push.commands.announce_connectors import AnnounceConnectors, ListConnectors
from countersign_push.commands.assign import Assign
from countersign_push.commands.claim_ack_polls import ClaimAckPolls
from countersign_push.commands.claim_export import ClaimExport
from countersign_push.commands.claim_next import ClaimNext
from countersign_push.commands.connection_change import ChangeConnection
from countersign_push.commands.connection_create import CreateConnection
from countersign_push.commands.connection_read import ListDropzones, ReadConnections
from countersign_push.commands.connection_test_ask import AskConnectionTest
from countersign_push.commands.connection_test_claim import ClaimConnectionTest
from countersign_push.commands.connection_test_report import ReportConnectionTest
from countersign_push.commands.connection_test_run import FinishedTests, RunConnectionTest
from countersign_push.commands.keep_lease import ReleaseLease, RenewLease
from countersign_push.commands.put_off import ReportDeferred, ReportHeld
from countersign_push.commands.report_ack import ReportAck
from countersign_push.commands.report_failed import ReportFailed
from countersign_push.commands.report_sent import ReportSent
from countersign_push.commands.report_staged import ReportStaged
from countersign_push.commands.review_leftovers import ReviewLeftovers
from countersign_push.lease_terms import LeaseTerms
from countersign_push.reconciler import MessageOffers, ReconcilePace, Reconciler, WakeOffers
from countersign_push.report_combiner import ReportCombiner
from countersign_push.secret_box import KeyRing
from countersign_push.servicers.connections import ConnectionCommands, ConnectionServicer
from countersign_push.servicers.work import WorkCommands, WorkServicer
from countersign_push.settings import PushSettings
from countersign_push.store.ack_polls import AckPollStore
from countersign_push.store.acks import AckStore
from countersign_push.store.connection_tests import ConnectionTestStore
from countersign_push.store.connections import ConnectionStore
from countersign_push.store.connectors import ConnectorStore
from countersign_push.store.reconcile import ReconcileStore
from countersign_push.store.reports import ReportStore
from countersign_push.store.reports_together import TogetherStore
from countersign_push.store.sweep import SweepStore
from countersign_push.store.work import WorkStore
from countersign_push.sweeper import Sweeper
from countersign_push.waiting_room import WaitingRoom


@dataclass(frozen=True, slots=True)
class HandOut:
    """What serves workers and connections, and what runs beside it.

    `exports_room.wake(n)` tells waiting workers of n new exports: the sender of the `work` lane
    where no broker is configured. `close()` comes before the server drains, or the long polls
    would hold it up.
    """

    work: WorkServicer
    connections: ConnectionServicer
    exports_room: WaitingRoom
    tests_room: WaitingRoom
    reconciler: Reconciler
    sweeper: Sweeper

    def loops(self) -> list[Loop]:
        """What runs until it is cancelled; one task each."""
        return [self.exports_room.run, self.tests_room.run, self.reconciler.run, self.sweeper.run]

    def close(self) -> None:
        """Sends every waiting worker home."""
        self.exports_room.close()
        self.tests_room.close()


def build_hand_out(
    settings: PushSettings, database: Database, wake_relay: Callable[[], None]
) -> HandOut:
    """All of it on one database; `wake_relay` tells the outbox relay of new rows."""
    keys = KeyRing.parse(settings.secret_keys.get_secret_value())
    work, tests = WorkStore(database), ConnectionTestStore(database)
    exports_room = WaitingRoom(work.count_due, settings.claim_poll_seconds)
    tests_room = WaitingRoom(tests.count_waiting, settings.claim_poll_seconds)
    finished = FinishedTests()
    connections, connectors = ConnectionStore(database), ConnectorStore(database)
    run_test = RunConnectionTest(tests, keys, tests_room, finished)
    report_test = ReportConnectionTest(tests, finished, wake_relay)
    claim_test = ClaimConnectionTest(
        tests, report_test, keys, tests_room, settings.connection_test_lease_seconds
    )
    commands = _work_commands(
        settings,
        database,
        work=work,
        keys=keys,
        room=exports_room,
        wake_relay=wake_relay,
        connections=connections,
        connectors=connectors,
        claim_test=claim_test,
        report_test=report_test,
    )
    read = ReadConnections(connections)
    return HandOut(
        work=WorkServicer(commands),
        connections=ConnectionServicer(
            ConnectionCommands(
                create=CreateConnection(connections, connectors, keys, run_test, wake_relay),
                change=ChangeConnection(connections, connectors, keys, run_test, wake_relay),
                read=read,
                test=AskConnectionTest(read, run_test, keys),
                connectors=ListConnectors(connectors),
                wake_workers=exports_room.wake,
            )
        ),
        exports_room=exports_room,
        tests_room=tests_room,
        reconciler=_reconciler(settings, database, work, exports_room, wake_relay),
        sweeper=Sweeper(SweepStore(database), settings.sweep_seconds),
    )


def _work_commands(
    settings: PushSettings,
    database: Database,
    *,
    work: WorkStore,
    keys: KeyRing,
    room: WaitingRoom,
    wake_relay: Callable[[], None],
    connections: ConnectionStore,
    connectors: ConnectorStore,
    claim_test: ClaimConnectionTest,
    report_test: ReportConnectionTest,
) -> WorkCommands:
    terms, archived = _terms(settings), settings.archive_url is not None
    reports, claimed = ReportStore(database, terms, archived=archived), ClaimedExports(work)
    polls = AckPollStore(
        database,
        lease_seconds=settings.ack_poll_lease_seconds,
        interval_seconds=settings.ack_interval_seconds,
    )
    combined = ReportCombiner(reports, TogetherStore(database, archived=archived))
    release = ReleaseLease(reports, work, room.wake)
    fail = ReportFailed(reports, work, claimed, wake_relay)
    defer, hold = ReportDeferred(reports, work), ReportHeld(reports, work)
    assign = Assign(keys, terms, claimed, fail=fail, defer=defer, hold=hold)
    return WorkCommands(
        claim_export=ClaimExport(work, assign, terms),
        claim_next=ClaimNext(work, assign, release, room, terms),
        renew_lease=RenewLease(reports, work),
        release_lease=release,
        report_staged=ReportStaged(combined, work),
        report_sent=ReportSent(combined, work, claimed, wake_relay),
        report_failed=fail,
        report_deferred=defer,
        report_held=hold,
        report_ack=ReportAck(AckStore(database, archived=archived), wake_relay),
        review_leftovers=ReviewLeftovers(work),
        list_dropzones=ListDropzones(connections, keys),
        claim_ack_polls=ClaimAckPolls(polls, keys),
        report_ack_poll=polls.report,
        note_health=connections.note_health,
        announce_connectors=AnnounceConnectors(connectors),
        claim_connection_test=claim_test,
        report_connection_test=report_test,
    )


def _reconciler(
    settings: PushSettings,
    database: Database,
    work: WorkStore,
    room: WaitingRoom,
    wake_relay: Callable[[], None],
) -> Reconciler:
    store = ReconcileStore(database)
    offers = (
        WakeOffers(work, room.wake)
        if settings.broker_url is None
        else MessageOffers(store, wake_relay)
    )
    pace = ReconcilePace(
        every=settings.reconcile_seconds,
        offer_again_after=settings.offer_again_after_seconds,
        stuck_after=settings.stuck_after_seconds,
    )
    return Reconciler(store, offers, pace)


def _terms(settings: PushSettings) -> LeaseTerms:
    return LeaseTerms(
        lease_seconds=settings.lease_seconds,
        max_attempts=settings.max_attempts,
        backoff_base=settings.backoff_base_seconds,
        backoff_cap=settings.backoff_cap_seconds,
        backoff_jitter=settings.backoff_jitter,
    )
