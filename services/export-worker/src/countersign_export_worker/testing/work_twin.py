"""Push's WorkService in memory: leases, fences and compare-and-set as the proto says.

Time is what the test says it is; nothing here waits, sleeps or is random.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from countersign_core.canonical_json import sha256_hex
from countersign_core.lifecycle import ExportStatus
from countersign_core.reasons import Reason
from countersign_export_worker.assignment import Assignment, ConnectionAccess, Lease
from countersign_export_worker.errors import LeaseLost, WorkRefused
from countersign_export_worker.file_names import DropName
from countersign_export_worker.ports import (
    ROOM_ENOUGH,
    AckFile,
    AckPoll,
    AttemptError,
    CheckReport,
    ConnectionTest,
    ConnectorType,
    Evidence,
    Room,
    Unsettled,
)


@dataclass(frozen=True, slots=True)
class ExportRecord:
    """A row of push.exports, as far as a worker can tell. Times are the twin's clock.

    Hashed by id and what changes, because a model looks up millions of them.
    """

    org_id: UUID = field(hash=False)
    id: UUID
    draft_order_id: UUID = field(hash=False)
    file_name: str = field(hash=False)
    document: bytes = field(repr=False, hash=False)
    content_sha256: str = field(hash=False)
    connection: ConnectionAccess = field(hash=False)
    request_id: str = field(default="request-1", hash=False)
    traceparent: str = field(default="", hash=False)
    status: ExportStatus = ExportStatus.PENDING
    fence: int = 0
    leased_until: float | None = None
    attempt: int = 0
    next_attempt_at: float = 0.0
    staged_name: str = ""
    staged_fence: int = 0
    held: bool = False
    evidence: Evidence | None = None
    error: AttemptError | None = None
    cancel_requested: bool = False


class WorkTwin:
    """WorkPort over dicts."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = lambda: 0.0,
        lease_seconds: float = 30.0,
        retry_seconds: float = 0.0,
        max_attempts: int = 3,
    ) -> None:
        """`retry_seconds`: how long a deferred export rests."""
        self.exports: dict[UUID, ExportRecord] = {}
        self.waiting_tests: list[ConnectionTest] = []
        self.test_reports: dict[UUID, CheckReport] = {}
        self.acks: list[tuple[UUID, AckFile]] = []
        self.ack_polls: list[tuple[UUID, bool]] = []
        self.unsettled: dict[UUID, dict[str, Unsettled]] = {}
        self.health: list[tuple[UUID, str, AttemptError | None]] = []
        self.announced: list[ConnectorType] = []
        self.released: list[Lease] = []
        self.renewed: list[Lease] = []
        self._clock = clock
        self._lease_seconds = lease_seconds
        self._retry_seconds = retry_seconds
        self._max_attempts = max_attempts

    def add(self, export: ExportRecord) -> None:
        """Have a push happen."""
        self.exports[export.id] = export

    def run_out(self, export_id: UUID) -> None:
        """Have the lease on an export end now, its holder none the wiser."""
        self.exports[export_id] = replace(self.exports[export_id], leased_until=self._clock())

    async def claim_export(self, org_id: UUID, export_id: UUID) -> Assignment | None:
        """See WorkPort."""
        export = self.exports.get(export_id)
        if export is None or export.org_id != org_id or not self._is_due(export):
            return None
        return self._claim(export)

    async def claim_next(
        self, most: int, wait_seconds: float, room: Room = ROOM_ENOUGH
    ) -> Sequence[Assignment]:
        """See WorkPort; never waits."""
        del wait_seconds
        left = dict(room.by_connection)
        claimed: list[Assignment] = []
        for export in list(self.exports.values()):
            connection = export.connection.id
            if len(claimed) == most or not self._is_due(export):
                continue
            if left.setdefault(connection, room.of_others or most) > 0:
                left[connection] -= 1
                claimed.append(self._claim(export))
        return claimed

    async def renew_lease(self, lease: Lease) -> None:
        """See WorkPort."""
        export = self._held(lease)
        self.renewed.append(lease)
        self._store(export, leased_until=self._clock() + self._lease_seconds)

    async def release_lease(self, lease: Lease) -> None:
        """See WorkPort."""
        export = self._held(lease)
        self.released.append(lease)
        self._store(export, leased_until=None, attempt=export.attempt - 1)

    async def report_staged(self, lease: Lease, staged_name: str, document_sha256: str) -> None:
        """See ReportPort; a repeat is accepted even after a newer claim."""
        export = self.exports[lease.export_id]
        on_record = (export.staged_name, export.staged_fence)
        if export.status is ExportStatus.PENDING and on_record == (staged_name, lease.fence):
            return
        export = self._held(lease)
        if export.staged_name:
            raise WorkRefused(Reason.EXPORT_WRONG_STATE, "another file is already staged")
        if sha256_hex(export.document) != document_sha256:
            raise WorkRefused(Reason.VALIDATION_FAILED, "another document was staged")
        self._store(export, staged_name=staged_name, staged_fence=lease.fence)

    async def report_sent(self, lease: Lease, evidence: Evidence) -> None:
        """See ReportPort."""
        if self._is_repeated(lease, ExportStatus.SENT):
            return
        self._finish(self._held(lease), status=ExportStatus.SENT, evidence=evidence)

    async def report_failed(self, lease: Lease, error: AttemptError, *, withdrawn: bool) -> None:
        """See ReportPort."""
        if self._is_repeated(lease, ExportStatus.FAILED):
            return
        export = self._held(lease)
        if export.staged_name and not withdrawn:
            raise WorkRefused(Reason.EXPORT_WRONG_STATE, "the token is still out there")
        self._finish(export, status=ExportStatus.FAILED, error=error)

    async def report_deferred(
        self, lease: Lease, error: AttemptError, *, withdrawn: bool = False
    ) -> None:
        """See ReportPort."""
        if self._was_put_off(lease, error):
            return
        export = self._held(lease)
        if withdrawn:
            export = self._store(export, staged_name="", staged_fence=0)
        self._put_off(export, error)

    async def report_held(self, lease: Lease, error: AttemptError) -> None:
        """See ReportPort."""
        if self._was_put_off(lease, error) and self.exports[lease.export_id].held:
            return
        export = self._held(lease)
        if not export.staged_name:
            raise WorkRefused(Reason.EXPORT_WRONG_STATE, "only a staged export can be held")
        self._put_off(export, error, held=True)

    async def removable(self, org_id: UUID, names: Collection[DropName]) -> frozenset[DropName]:
        """See ReportPort."""
        return frozenset(name for name in names if self._is_removable(org_id, name))

    async def list_dropzones(self) -> Sequence[ConnectionAccess]:
        """See WorkPort."""
        connections = {export.connection.id: export.connection for export in self.exports.values()}
        return list(connections.values())

    async def claim_ack_polls(self, most: int) -> Sequence[AckPoll]:
        """See WorkPort; every connection is always due."""
        return [
            AckPoll(each, self.unsettled.get(each.id, {}))
            for each in (await self.list_dropzones())[:most]
        ]

    async def report_ack_poll(
        self, connection: ConnectionAccess, *, more: bool, unsettled: Mapping[str, str]
    ) -> None:
        """See WorkPort; no time passes, see `age_unsettled`."""
        self.ack_polls.append((connection.id, more))
        before = self.unsettled.get(connection.id, {})
        self.unsettled[connection.id] = {
            name: before[name]
            if name in before and before[name].state == state
            else Unsettled(state, 0.0)
            for name, state in unsettled.items()
        }

    def age_unsettled(self, seconds: float) -> None:
        """As if so much time had passed since the last look for answers."""
        for connection, answers in self.unsettled.items():
            self.unsettled[connection] = {
                name: Unsettled(each.state, each.seconds + seconds)
                for name, each in answers.items()
            }

    async def report_health(
        self, connection: ConnectionAccess, breaker: str, error: AttemptError | None
    ) -> None:
        """See WorkPort."""
        self.health.append((connection.id, breaker, error))

    async def announce_connectors(self, connectors: Sequence[ConnectorType]) -> None:
        """See WorkPort."""
        self.announced = list(connectors)

    async def claim_connection_test(self, wait_seconds: float) -> ConnectionTest | None:
        """See WorkPort; never waits."""
        del wait_seconds
        return self.waiting_tests.pop(0) if self.waiting_tests else None

    async def report_connection_test(self, test: ConnectionTest, report: CheckReport) -> None:
        """See WorkPort."""
        self.test_reports[test.test_id] = report

    async def report_ack(self, connection: ConnectionAccess, ack: AckFile) -> None:
        """See WorkPort."""
        self.acks.append((connection.id, ack))

    def _is_due(self, export: ExportRecord) -> bool:
        now = self._clock()
        is_free = export.leased_until is None or export.leased_until <= now
        return export.status is ExportStatus.PENDING and is_free and export.next_attempt_at <= now

    def _claim(self, export: ExportRecord) -> Assignment:
        claimed = self._store(
            export,
            fence=export.fence + 1,
            attempt=export.attempt + 1,
            leased_until=self._clock() + self._lease_seconds,
        )
        return Assignment(
            lease=Lease(claimed.org_id, claimed.id, claimed.fence),
            lease_seconds=self._lease_seconds,
            attempt=claimed.attempt,
            last_attempt=claimed.attempt >= self._max_attempts,
            file_name=claimed.file_name,
            document=claimed.document,
            document_sha256=sha256_hex(claimed.document),
            content_sha256=claimed.content_sha256,
            staged_name=claimed.staged_name,
            connection=claimed.connection,
            draft_order_id=claimed.draft_order_id,
            request_id=claimed.request_id,
            traceparent=claimed.traceparent,
            cancel_requested=claimed.cancel_requested,
        )

    def _held(self, lease: Lease) -> ExportRecord:
        export = self.exports[lease.export_id]
        is_out = export.status is ExportStatus.PENDING and export.leased_until is not None
        if not is_out or export.fence != lease.fence or export.org_id != lease.org_id:
            raise LeaseLost
        return export

    def _is_repeated(self, lease: Lease, status: ExportStatus) -> bool:
        export = self.exports[lease.export_id]
        return export.fence == lease.fence and export.status is status

    def _was_put_off(self, lease: Lease, error: AttemptError) -> bool:
        export = self.exports[lease.export_id]
        is_resting = export.status is ExportStatus.PENDING and export.leased_until is None
        return is_resting and export.fence == lease.fence and export.error == error

    def _is_removable(self, org_id: UUID, name: DropName) -> bool:
        export = self.exports.get(name.export_id)
        if export is None or export.org_id != org_id or name.fence > export.fence:
            return False
        if name.withdrawn:
            return export.status is ExportStatus.FAILED
        if export.status is not ExportStatus.PENDING:
            return True
        if str(name) == export.staged_name or name.fence == export.staged_fence:
            return False
        # A lease that ran out unclaimed can still put its file on record.
        return name.fence < export.fence or export.leased_until is None

    def _put_off(self, export: ExportRecord, error: AttemptError, *, held: bool = False) -> None:
        self._store(
            export,
            leased_until=None,
            error=error,
            held=export.held or held,
            next_attempt_at=self._clock() + self._retry_seconds,
        )

    def _finish(
        self,
        export: ExportRecord,
        *,
        status: ExportStatus,
        evidence: Evidence | None = None,
        error: AttemptError | None = None,
    ) -> None:
        self._store(
            export, status=status, evidence=evidence, error=error, leased_until=None, held=False
        )

    def _store(self, export: ExportRecord, **changes: Any) -> ExportRecord:
        changed = replace(export, **changes)
        self.exports[export.id] = changed
        return changed
