"""What a worker does beside deliveries: sweep, test connections, bring the ERP's answers."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from countersign_core.lifecycle import ExportStatus
from countersign_core.reasons import Reason
from countersign_export_worker.ack_look import SETTLED_SECONDS
from countersign_export_worker.ack_poller import AckPoller
from countersign_export_worker.connectors.access import Connectors
from countersign_export_worker.connectors.ack_files import MOST
from countersign_export_worker.connectors.registry import ConnectorRegistry, installed_connectors
from countersign_export_worker.errors import WorkRefused
from countersign_export_worker.file_names import DropName
from countersign_export_worker.ports import AckFile, AttemptError, ConnectionTest
from countersign_export_worker.sweeper import Sweeper
from countersign_export_worker.testing.samples import (
    CONNECTION,
    EXPORT,
    ORG,
    connection_to,
    export_record,
)
from countersign_export_worker.testing.work_twin import WorkTwin

Eventually = Callable[[Callable[[], bool]], Awaitable[None]]
ERROR = AttemptError("DISK_FULL", "The disk is full.")


def _connectors() -> Connectors:
    return Connectors(ConnectorRegistry(installed_connectors()), clock=lambda: 0.0, seconds=10.0)


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


class Swept:
    """A dropzone with one export, claimed twice, and files of both fences."""

    def __init__(self, dropzone: Path) -> None:
        self.dropzone = dropzone
        self.twin = WorkTwin()
        self.record = export_record(connection_to(dropzone))
        self.twin.add(self.record)

    def put(self, fence: int, *, withdrawn: bool = False) -> str:
        name = str(DropName(self.record.file_name, EXPORT, fence, "2a", withdrawn))
        (self.dropzone / name).write_bytes(b"")
        return name

    async def claim(self):
        return await self.twin.claim_export(ORG, EXPORT)

    async def sweep(self) -> set[str]:
        await Sweeper(self.twin, _connectors(), seconds=1.0).sweep()
        return _names(self.dropzone)


async def test_sweep_removes_what_dead_workers_left_and_nothing_else(dropzone: Path) -> None:
    """Files of earlier fences go; the live lease's, strangers' and final files stay."""
    swept = Swept(dropzone)
    await swept.claim()
    swept.twin.run_out(EXPORT)
    await swept.claim()
    swept.put(1)
    live = swept.put(2)
    ahead = swept.put(3)
    unknown = str(DropName(swept.record.file_name, UUID(int=7), 1, "2a"))
    others = {unknown, ".somebody.tmp", "order.json", ".countersign-test.x.tmp"}
    for name in others:
        (dropzone / name).touch()
    assert await swept.sweep() == {live, ahead} | others


async def test_sweep_leaves_a_lease_that_ran_out_unclaimed(dropzone: Path) -> None:
    """Its holder may be slow and put the file on record yet."""
    swept = Swept(dropzone)
    await swept.claim()
    slow = swept.put(1)
    swept.twin.run_out(EXPORT)
    assert await swept.sweep() == {slow}


async def test_sweep_leaves_the_token_on_record(dropzone: Path) -> None:
    """It is the delivery to come."""
    swept = Swept(dropzone)
    assignment = await swept.claim()
    token = swept.put(1)
    await swept.twin.report_staged(assignment.lease, token, assignment.document_sha256)
    await swept.twin.report_deferred(assignment.lease, ERROR)
    assert await swept.sweep() == {token}


async def test_sweep_leaves_a_withdrawn_file_until_failed_is_on_record(dropzone: Path) -> None:
    """Without it the next worker would take the absence for a delivery."""
    swept = Swept(dropzone)
    assignment = await swept.claim()
    token = swept.put(1)
    await swept.twin.report_staged(assignment.lease, token, assignment.document_sha256)
    (dropzone / token).unlink()
    withdrawn = swept.put(1, withdrawn=True)
    assert await swept.sweep() == {withdrawn}
    await swept.twin.report_failed(assignment.lease, ERROR, withdrawn=True)
    assert swept.twin.exports[EXPORT].status is ExportStatus.FAILED
    assert await swept.sweep() == set()


async def test_dropzone_that_cannot_be_swept_does_not_keep_the_others(dropzone: Path) -> None:
    """One tenant's dead server is that tenant's alone."""
    swept = Swept(dropzone)
    await swept.claim()
    swept.twin.run_out(EXPORT)
    await swept.claim()
    swept.put(1)
    dead = connection_to(dropzone / "missing", UUID(int=1))
    swept.twin.exports = {
        UUID(int=2): export_record(dead, 1),
        **swept.twin.exports,
    }
    assert await swept.sweep() == set()


async def test_connection_test_runs_in_the_worker_and_reports_every_step(
    bench: Any, dropzone: Path, eventually: Eventually
) -> None:
    """What a delivery does, with what went wrong, over the wire."""
    good, bad = uuid4(), uuid4()
    bench.twin.waiting_tests += [
        ConnectionTest(good, connection_to(dropzone, uuid4())),
        ConnectionTest(bad, connection_to(dropzone / "missing", uuid4())),
    ]
    await bench.work()
    await eventually(lambda: {good, bad} <= set(bench.twin.test_reports))
    report = bench.twin.test_reports[good]
    assert report.ok
    assert [step.name for step in report.steps] == [
        "connect",
        "write",
        "fsync",
        "rename",
        "read_back",
        "delete",
    ]
    assert report.capabilities["atomic_rename"] == "true"
    assert abs(report.clock_difference_ms) < 5000
    assert bench.twin.test_reports[bad].failure == "PATH_MISSING"
    assert _names(dropzone) == set()


class Acks:
    """A dropzone with a folder for answers, and a poller."""

    def __init__(self, dropzone: Path) -> None:
        self.folder = dropzone / "acks"
        self.folder.mkdir()
        self.twin = WorkTwin()
        self.twin.add(export_record(connection_to(dropzone, ack_path=str(self.folder))))

    def put(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    async def poll(self) -> None:
        await AckPoller(self.twin, _connectors(), seconds=1.0).poll()


async def test_answers_are_reported_and_filed_away(dropzone: Path) -> None:
    """ack_ and error_ files, with the ERP's number and the ERP's words."""
    acks = Acks(dropzone)
    acks.put("ack_a.json", '{"erp_order_id": 4711}')
    acks.put("ack_b.json", "{}")
    acks.put("error_c.json", '{"code": "UNKNOWN_SKU", "message": "No such SKU"}')
    acks.put("error_d.json", '{"code": "with spaces"}')
    acks.put("order.json", "{}")
    await acks.poll()
    assert [(connection, ack.file_name, ack) for connection, ack in acks.twin.acks] == [
        (CONNECTION, "a.json", AckFile("ack_a.json", "a.json", True, "4711")),
        (CONNECTION, "b.json", AckFile("ack_b.json", "b.json", True, "")),
        (
            CONNECTION,
            "c.json",
            AckFile("error_c.json", "c.json", error=AttemptError("UNKNOWN_SKU", "No such SKU")),
        ),
        (
            CONNECTION,
            "d.json",
            AckFile(
                "error_d.json",
                "d.json",
                error=AttemptError("ERP_REFUSED", "The ERP refused the file."),
            ),
        ),
    ]
    assert _names(acks.folder) == {"processed", "order.json"}
    assert len(_names(acks.folder / "processed")) == 4
    await acks.poll()
    assert len(acks.twin.acks) == 4


@pytest.mark.parametrize("text", ["", "{", "[]", "\x00"])
async def test_malformed_answer_is_set_aside_once_it_is_settled(text: str, dropzone: Path) -> None:
    """A young one may still be being written; which worker looks, and its clock, do not matter."""
    acks = Acks(dropzone)
    acks.put("ack_old.json", text)
    acks.put("ack_growing.json", text)
    await acks.poll()
    acks.twin.age_unsettled(SETTLED_SECONDS)
    acks.put("ack_growing.json", text + " ")
    acks.put("ack_young.json", text)
    await acks.poll()
    assert acks.twin.acks == []
    assert _names(acks.folder) == {"error", "ack_growing.json", "ack_young.json"}
    assert _names(acks.folder / "error") == {"ack_old.json"}


async def test_a_look_that_fails_forgets_nothing(
    dropzone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a server that is often away would never see its malformed answers filed."""
    acks = Acks(dropzone)
    acks.put("ack_a.json", "{")
    await acks.poll()
    acks.twin.age_unsettled(SETTLED_SECONDS)
    aside = acks.folder.rename(dropzone / "away")
    await acks.poll()
    aside.rename(acks.folder)
    await acks.poll()
    assert _names(acks.folder / "error") == {"ack_a.json"}


async def test_malformed_answers_do_not_hide_how_many_wait(dropzone: Path) -> None:
    """A full look asks for the next one at once as long as something of it moved."""
    acks = Acks(dropzone)
    acks.put("ack_000.json", "{")
    for number in range(1, MOST + 1):
        acks.put(f"ack_{number:03}.json", "{}")
    await acks.poll()
    await acks.poll()
    assert [more for _, more in acks.twin.ack_polls] == [True, False]
    assert len(acks.twin.acks) == MOST


async def test_answers_that_all_wait_are_not_looked_at_without_rest(dropzone: Path) -> None:
    """A look at which nothing moved is not repeated at once."""
    acks = Acks(dropzone)
    for number in range(MOST + 1):
        acks.put(f"ack_{number:03}.json", "{")
    await acks.poll()
    assert acks.twin.ack_polls == [(CONNECTION, False)]


async def test_two_answers_about_one_file_keep_their_order(dropzone: Path) -> None:
    """The first name counts, also where many are reported side by side."""
    acks = Acks(dropzone)
    for number in range(40):
        acks.put(f"ack_{number:03}.json", "{}")
        acks.put(f"error_{number:03}.json", "{}")
    await acks.poll()
    told: dict[str, list[bool]] = {}
    for _, ack in acks.twin.acks:
        told.setdefault(ack.file_name, []).append(ack.accepted)
    assert len(told) == 40
    assert all(each == [True, False] for each in told.values())


@pytest.mark.parametrize(
    ("refusal", "left"),
    [
        (WorkRefused(Reason.EXPORT_NOT_FOUND, "none"), {"error"}),
        (WorkRefused(Reason.EXPORT_WRONG_STATE, "acked", current="ACKED"), {"error"}),
        (WorkRefused(Reason.EXPORT_WRONG_STATE, "soon", current="PENDING"), {"ack_a.json"}),
    ],
)
async def test_answer_that_push_refuses(
    refusal: WorkRefused, left: set[str], dropzone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Set aside, unless it only came before the record of what it answers."""
    acks = Acks(dropzone)
    acks.put("ack_a.json", "{}")

    async def refuse(*_args: object) -> None:
        raise refusal

    monkeypatch.setattr(acks.twin, "report_ack", refuse)
    await acks.poll()
    assert _names(acks.folder) == left


async def test_link_among_the_answers_is_not_read(dropzone: Path) -> None:
    """Who may write answers cannot have us read other files."""
    acks = Acks(dropzone)
    secret = dropzone / "secret"
    secret.write_text('{"erp_order_id": "secret"}')
    (acks.folder / "ack_a.json").symlink_to(secret)
    await acks.poll()
    assert acks.twin.acks == []
    assert _names(acks.folder) == {"error"}
