"""The ERP's answers are read over SFTP as they are from a folder."""

from pathlib import Path
from typing import Any

import pytest

from countersign_export_worker.connectors.ack_files import MAX_BYTES, MOST, AckMode
from countersign_export_worker.errors import PermanentDeliveryError
from countersign_export_worker.ports import AckFile, AttemptError

pytestmark = pytest.mark.integration


@pytest.fixture
def answers(zone: Any) -> Path:
    """Where the ERP answers."""
    return zone.server.make_folder("answers", below=zone.folder)


def _open(zone: Any, answers: Path, **changes: object) -> Any:
    path = zone.settings().options.export_path / answers.name
    return zone.open(ack_path=path, **changes)


async def test_answers_are_read_and_filed(zone: Any, answers: Path) -> None:
    """What was understood goes to processed, the rest to error; other files stay."""
    (answers / "ack_a.json").write_text('{"erp_order_id": 4711}')
    (answers / "error_b.json").write_text('{"code": "UNKNOWN_SKU", "message": "Which?"}')
    (answers / "readme.txt").write_text("hello")
    connector = _open(zone, answers)
    acks = await connector.poll_acks()
    assert acks == [
        AckFile("ack_a.json", "a.json", accepted=True, erp_order_id="4711"),
        AckFile("error_b.json", "b.json", error=AttemptError("UNKNOWN_SKU", "Which?")),
    ]
    await connector.file_ack(acks[0], understood=True)
    await connector.file_ack(acks[0], understood=True)
    await connector.file_ack(acks[1], understood=False)
    assert await connector.poll_acks() == []
    assert {str(path.relative_to(answers)) for path in answers.rglob("*") if path.is_file()} == {
        "processed/ack_a.json",
        "error/error_b.json",
        "readme.txt",
    }


async def test_answer_that_came_before_replaces_the_one_on_file(zone: Any, answers: Path) -> None:
    """An ERP that answers twice stops nothing."""
    connector = _open(zone, answers)
    for text in ("{}", '{"erp_order_id": "2"}'):
        (answers / "ack_a.json").write_text(text)
        for ack in await connector.poll_acks():
            await connector.file_ack(ack, understood=True)
    assert (answers / "processed" / "ack_a.json").read_text() == '{"erp_order_id": "2"}'


async def test_presence_is_enough_where_it_is_told_so(zone: Any, answers: Path) -> None:
    """Whatever the file holds."""
    (answers / "ack_a.json").write_text("OK")
    (answers / "error_b.json").write_text("no such customer")
    accepted, refused = await _open(zone, answers, ack_mode=AckMode.PRESENCE).poll_acks()
    assert accepted.accepted
    assert refused.error == AttemptError("ERP_REFUSED", "no such customer")


async def test_half_written_answer_tells_whether_it_changed(zone: Any, answers: Path) -> None:
    """So that it is left alone while it grows."""
    connector = _open(zone, answers)
    path = answers / "ack_a.json"
    path.write_text('{"erp_ord')
    [first], [again] = await connector.poll_acks(), await connector.poll_acks()
    assert first == again
    assert (first.file_name, bool(first.state)) == ("", True)
    path.write_text('{"erp_order')
    [grown] = await connector.poll_acks()
    assert grown.state != first.state
    path.write_text('{"erp_order_id": "1"}')
    assert [ack.erp_order_id for ack in await connector.poll_acks()] == ["1"]


async def test_a_long_answer_is_read_whole(zone: Any, answers: Path) -> None:
    """Longer than one packet of the protocol, up to the limit."""
    text = '{"erp_order_id": "1"}'
    (answers / "ack_a.json").write_text(text + " " * (MAX_BYTES - len(text)))
    assert [ack.erp_order_id for ack in await _open(zone, answers).poll_acks()] == ["1"]


async def test_many_answers_are_read_in_the_order_of_their_names(zone: Any, answers: Path) -> None:
    """Several at once over one connection; no more than one look's worth."""
    names = [f"ack_{number:03}.json" for number in range(MOST + 5)]
    for name in names:
        (answers / name).write_text(f'{{"erp_order_id": "{name}"}}')
    acks = await _open(zone, answers).poll_acks()
    assert [ack.name for ack in acks] == names[:MOST]
    assert all(ack.erp_order_id == ack.name for ack in acks)


async def test_links_and_large_files_are_no_answers(zone: Any, answers: Path) -> None:
    """A link could have us read anything that the account may read."""
    (answers / "ack_link.json").symlink_to("/etc/passwd")
    (answers / "ack_large.json").write_bytes(b" " * (MAX_BYTES + 1))
    (answers / "ack_folder.json").mkdir()
    acks = await _open(zone, answers).poll_acks()
    assert [(ack.file_name, ack.state) for ack in acks] == [("", "")] * 3


async def test_without_a_place_for_answers_there_are_none(zone: Any) -> None:
    """Nothing is asked of the server."""
    assert await zone.connector.poll_acks() == ()
    await zone.connector.file_ack(AckFile("ack_a.json", "a.json"), understood=True)


async def test_connection_test_looks_at_the_answers(zone: Any, answers: Path) -> None:
    """A folder whose answers cannot be moved away would be read for ever."""
    report = await _open(zone, answers).test_connection()
    assert (report.ok, report.steps[-1].name) == (True, "answers")
    assert {path.name for path in answers.iterdir()} == {"processed", "error"}
    answers.chmod(0o555)
    report = await _open(zone, answers).test_connection()
    assert (report.failure, report.steps[-1].name) == ("PERMISSION_DENIED", "answers")


async def test_missing_folder_of_answers_says_so(zone: Any, answers: Path) -> None:
    """At the poll as at the test."""
    connector = _open(zone, answers)
    answers.rmdir()
    with pytest.raises(PermanentDeliveryError) as caught:
        await connector.poll_acks()
    assert caught.value.code == "PATH_MISSING"
