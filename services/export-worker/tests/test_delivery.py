"""What one delivery does and reports, case by case; the interleavings are the model's."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from countersign_core.lifecycle import ExportStatus
from countersign_export_worker.assignment import Assignment
from countersign_export_worker.connectors.memory import MemoryConnector
from countersign_export_worker.delivery import Delivery, Outcome, OutcomeKind
from countersign_export_worker.document_check import DocumentCheck
from countersign_export_worker.errors import (
    DeliveryError,
    PermanentDeliveryError,
    TransientDeliveryError,
)
from countersign_export_worker.file_names import DropName
from countersign_export_worker.ports import Evidence
from countersign_export_worker.testing.samples import EXPORT, ORG, connection_to, export_record
from countersign_export_worker.testing.work_twin import ExportRecord, WorkTwin

CHECK = DocumentCheck()
DISK_FULL = TransientDeliveryError("DISK_FULL", "The disk is full.")
DENIED = PermanentDeliveryError("PERMISSION_DENIED", "Not allowed.")


class FailingConnector(MemoryConnector):
    """Raises what it is told, call by call."""

    failures: dict[str, DeliveryError]

    def __init__(self, **failures: DeliveryError) -> None:
        super().__init__()
        self.failures = failures

    async def stage(self, name: DropName, document: bytes) -> DropName:
        self._fail("stage")
        return await super().stage(name, document)

    async def publish(self, staged: DropName) -> None:
        self._fail("publish")
        await super().publish(staged)

    async def withdraw(self, staged: DropName) -> None:
        self._fail("withdraw")
        await super().withdraw(staged)

    async def trace(self, staged: DropName):
        self._fail("trace")
        return await super().trace(staged)

    async def discard(self, name: DropName) -> None:
        self._fail("discard")
        await super().discard(name)

    def _fail(self, call: str) -> None:
        if call in self.failures:
            raise self.failures[call]


class World:
    def __init__(self, connector: MemoryConnector | None = None, *, max_attempts: int = 3) -> None:
        self.connector = connector or MemoryConnector()
        self.twin = WorkTwin(max_attempts=max_attempts)
        self.record = export_record(connection_to(Path("/dropzone")))
        self.twin.add(self.record)

    @property
    def export(self) -> ExportRecord:
        return self.twin.exports[EXPORT]

    @property
    def final_files(self) -> dict[str, bytes]:
        files = self.connector.files
        return {name: data for name, data in files.items() if not name.startswith(".")}

    async def claim(self) -> Assignment:
        assignment = await self.twin.claim_export(ORG, EXPORT)
        assert assignment is not None
        return assignment

    async def deliver(
        self, change: Callable[[Assignment], Assignment] = lambda assignment: assignment
    ) -> Outcome:
        return await self.deliver_as(change(await self.claim()))

    async def deliver_as(self, assignment: Assignment) -> Outcome:
        return await Delivery(
            assignment, connector=self.connector, reports=self.twin, check_document=CHECK
        ).run()


async def test_ordinary_delivery_is_renamed_and_leaves_the_exact_bytes() -> None:
    """One file, under the final name, byte by byte what push built."""
    world = World()
    assert await world.deliver() == Outcome(OutcomeKind.SENT, "RENAMED")
    assert world.connector.files == {world.record.file_name: world.record.document}
    assert world.export.status is ExportStatus.SENT
    assert world.export.staged_name == f".{world.record.file_name}.{EXPORT}.1.1.tmp"


async def test_bad_document_fails_at_once_and_writes_nothing() -> None:
    """What does not pass the check never touches the dropzone."""
    world = World()
    spoil = lambda assignment: replace(assignment, content_sha256="cd" * 32)  # noqa: E731
    assert await world.deliver(spoil) == Outcome(OutcomeKind.FAILED, "BAD_DOCUMENT")
    assert world.connector.files == {}
    assert world.export.status is ExportStatus.FAILED


async def test_file_name_that_is_a_path_fails_at_once() -> None:
    """Whatever push says, a worker writes into the dropzone only."""
    world = World()
    outcome = await world.deliver(lambda a: replace(a, file_name="../../etc/cron.d/x"))
    assert outcome == Outcome(OutcomeKind.FAILED, "BAD_FILE_NAME")
    assert world.connector.files == {}


async def test_transient_failure_before_staging_is_deferred_then_failed_at_the_last_attempt() -> (
    None
):
    """Nothing is staged, so nothing has to be taken back."""
    world = World(FailingConnector(stage=DISK_FULL), max_attempts=2)
    assert await world.deliver() == Outcome(OutcomeKind.DEFERRED, "DISK_FULL")
    assert world.export.status is ExportStatus.PENDING
    assert world.export.error.code == "DISK_FULL"
    assert await world.deliver() == Outcome(OutcomeKind.FAILED, "DISK_FULL")
    assert world.export.status is ExportStatus.FAILED


async def test_permanent_failure_before_staging_fails_at_the_first_attempt() -> None:
    """Trying again would not help."""
    world = World(FailingConnector(stage=DENIED))
    assert await world.deliver() == Outcome(OutcomeKind.FAILED, "PERMISSION_DENIED")


async def test_transient_failure_to_publish_keeps_the_token_for_the_next_attempt() -> None:
    """The second attempt renames what the first one staged, and writes nothing."""
    connector = FailingConnector(publish=DISK_FULL)
    world = World(connector)
    assert await world.deliver() == Outcome(OutcomeKind.DEFERRED, "DISK_FULL")
    connector.failures = {"stage": DENIED}
    assert await world.deliver() == Outcome(OutcomeKind.SENT, "RENAMED")
    assert world.connector.files == {world.record.file_name: world.record.document}


@pytest.mark.parametrize("failure", [DISK_FULL, DENIED], ids=["at the last attempt", "for good"])
async def test_staged_export_fails_only_after_its_file_was_taken_back(
    failure: DeliveryError,
) -> None:
    """FAILED is on record with the cause, and no file of it remains."""
    world = World(FailingConnector(publish=failure), max_attempts=1)
    assert await world.deliver() == Outcome(OutcomeKind.FAILED, failure.code)
    assert world.export.status is ExportStatus.FAILED
    assert world.export.error.code == failure.code
    assert world.connector.files == {}


async def test_withdrawn_file_stays_when_it_cannot_be_deleted() -> None:
    """FAILED is on record all the same; the sweeper comes by."""
    world = World(FailingConnector(publish=DENIED, discard=DISK_FULL))
    assert await world.deliver() == Outcome(OutcomeKind.FAILED, "PERMISSION_DENIED")
    [left] = await world.connector.list_leftovers()
    assert left.withdrawn
    assert await world.twin.removable(ORG, [left]) == {left}


@pytest.mark.parametrize("obstacle", [DISK_FULL, DENIED])
async def test_staged_export_that_can_neither_go_nor_come_back_is_held(
    obstacle: DeliveryError,
) -> None:
    """Held, not failed; and delivered as soon as the dropzone works again."""
    connector = FailingConnector(publish=DENIED, withdraw=obstacle)
    world = World(connector, max_attempts=1)
    assert await world.deliver() == Outcome(OutcomeKind.HELD, obstacle.code)
    assert (world.export.status, world.export.held) == (ExportStatus.PENDING, True)
    connector.failures = {}
    assert await world.deliver() == Outcome(OutcomeKind.SENT, "RENAMED")
    assert not world.export.held


async def test_stranger_under_the_final_name_holds_the_export() -> None:
    """Nobody knows what that file is, so nothing is called failed or sent."""
    world = World()
    world.connector.files[world.record.file_name] = b"a stranger's"
    assert await world.deliver() == Outcome(OutcomeKind.HELD, "NAME_TAKEN")
    assert world.final_files == {world.record.file_name: b"a stranger's"}
    del world.connector.files[world.record.file_name]
    assert await world.deliver() == Outcome(OutcomeKind.SENT, "RENAMED")


@pytest.mark.parametrize(
    ("picked_up", "evidence"), [(False, Evidence.FOUND), (True, Evidence.INFERRED)]
)
async def test_token_that_is_gone_was_delivered(picked_up: bool, evidence: Evidence) -> None:
    """A worker that died after its rename left a delivery behind; nothing is written again."""
    world = World()
    first = await world.claim()
    token = await world.connector.stage(_name(world, first), first.document)
    await world.twin.report_staged(first.lease, str(token), first.document_sha256)
    await world.connector.publish(token)
    if picked_up:
        world.connector.files.clear()
    world.twin.run_out(EXPORT)
    before = dict(world.connector.files)
    assert await world.deliver() == Outcome(OutcomeKind.SENT, evidence)
    assert world.connector.files == before


async def test_token_that_was_taken_back_is_reported_failed() -> None:
    """A worker that died after its withdrawal left a failure behind."""
    world = World()
    first = await world.claim()
    token = await world.connector.stage(_name(world, first), first.document)
    await world.twin.report_staged(first.lease, str(token), first.document_sha256)
    await world.connector.withdraw(token)
    world.twin.run_out(EXPORT)
    assert await world.deliver() == Outcome(OutcomeKind.FAILED, "WITHDRAWN")
    assert world.connector.files == {}


@pytest.mark.parametrize(
    ("max_attempts", "failure", "kind"),
    [
        (3, DISK_FULL, OutcomeKind.DEFERRED),
        (1, DISK_FULL, OutcomeKind.HELD),
        (3, DENIED, OutcomeKind.HELD),
    ],
)
async def test_what_became_of_a_token_is_not_guessed(
    max_attempts: int, failure: DeliveryError, kind: OutcomeKind
) -> None:
    """Where the dropzone cannot be looked into, neither SENT nor FAILED is reported."""
    world = World(FailingConnector(trace=failure), max_attempts=max_attempts)
    assignment = await world.claim()
    token = _name(world, assignment).at("1")
    await world.twin.report_staged(assignment.lease, str(token), assignment.document_sha256)
    staged = replace(assignment, staged_name=str(token))
    assert (await world.deliver_as(staged)).kind is kind
    assert world.export.status is ExportStatus.PENDING


async def test_other_folder_under_the_same_path_is_no_delivery() -> None:
    """An unmounted share does not make an order SENT; the share's return does."""
    connector = FailingConnector(publish=DISK_FULL)
    world = World(connector)
    await world.deliver()
    connector.failures = {}
    files, connector.files, connector.place = connector.files, {}, "2"
    assert await world.deliver() == Outcome(OutcomeKind.DEFERRED, "FOLDER_CHANGED")
    assert (await world.deliver()) == Outcome(OutcomeKind.HELD, "FOLDER_CHANGED")
    connector.files, connector.place = files, "1"
    assert await world.deliver() == Outcome(OutcomeKind.SENT, "RENAMED")


async def test_whoever_stages_anew_removes_what_earlier_fences_left() -> None:
    """Only this export's files, and only those of lower fences."""
    world = World()
    first = await world.claim()
    await world.connector.stage(_name(world, first), b"half")
    other = replace(_name(world, first), export_id=ORG)
    await world.connector.stage(other, b"another export's")
    later = replace(_name(world, first), fence=9)
    await world.connector.stage(later, b"a later fence's")
    world.twin.run_out(EXPORT)
    assert (await world.deliver()).kind is OutcomeKind.SENT
    assert set(world.connector.files) == {
        world.record.file_name,
        str(other.at("1")),
        str(later.at("1")),
    }


async def test_first_claim_does_not_list_the_dropzone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dropzone with a hundred thousand files costs an ordinary delivery nothing."""
    world = World()

    async def must_not() -> None:
        raise AssertionError

    monkeypatch.setattr(world.connector, "list_leftovers", must_not)
    assert (await world.deliver()).kind is OutcomeKind.SENT


async def test_worker_that_lost_its_lease_removes_its_own_file_and_stops() -> None:
    """The other worker's delivery is untouched."""
    world = World()
    slow = await world.claim()
    world.twin.run_out(EXPORT)
    assert (await world.deliver()).kind is OutcomeKind.SENT
    assert await world.deliver_as(slow) == Outcome(OutcomeKind.LEASE_LOST)
    assert world.connector.files == {world.record.file_name: world.record.document}


async def test_name_on_record_that_nobody_can_read_is_held() -> None:
    """A record that this worker does not understand is for people."""
    world = World()
    assignment = await world.claim()
    await world.twin.report_staged(assignment.lease, "odd", assignment.document_sha256)
    outcome = await world.deliver_as(replace(assignment, staged_name="odd"))
    assert outcome == Outcome(OutcomeKind.HELD, "INTERNAL")


def _name(world: World, assignment: Assignment) -> DropName:
    return DropName(world.record.file_name, EXPORT, assignment.lease.fence)
