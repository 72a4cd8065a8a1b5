"""A folder dropzone with a folder of its own to write in, a done-file, and permissions."""

import os
from pathlib import Path, PurePosixPath
from uuid import UUID

import pytest

from countersign_export_worker.connectors import folder_files
from countersign_export_worker.connectors.ack_files import AckMode
from countersign_export_worker.connectors.dropzone_options import DropzoneOptions
from countersign_export_worker.connectors.folder import FolderConnector
from countersign_export_worker.errors import (
    NameTaken,
    PermanentDeliveryError,
    TokenGone,
    TransientDeliveryError,
)
from countersign_export_worker.file_names import DropName
from countersign_export_worker.ports import Whereabouts

EXPORT = UUID("0192f0c1-0000-7000-8000-0000000000e1")
FINAL = "sales_order_1.json"
NAME = DropName(FINAL, EXPORT, 1)


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    return tmp_path / "writing"


@pytest.fixture
def options(dropzone: Path, temporary: Path) -> DropzoneOptions:
    """Everything set; on one file system, so that a rename can cross."""
    writing = dropzone.parent / f"{dropzone.name}-writing"
    return DropzoneOptions.at(
        dropzone,
        temporary_path=PurePosixPath(writing),
        temporary_suffix="part",
        done_suffix=".ok",
        file_mode=0o640,
        folder_mode=0o750,
    )


def names(folder: PurePosixPath | Path) -> set[str]:
    return {path.name for path in Path(folder).iterdir()}


async def test_the_document_and_its_done_file_appear_whole(options: DropzoneOptions) -> None:
    """Written elsewhere, under the suffix that was asked for; both end up in the dropzone."""
    connector = FolderConnector(options)
    token = await connector.stage(NAME, b"whole")
    assert token.suffix == "part"
    assert names(options.temporary_path) == {str(token), f"{token}.done"}
    assert names(options.export_path) == set()
    await connector.publish(token)
    assert names(options.export_path) == {FINAL, f"{FINAL}.ok"}
    assert names(options.temporary_path) == set()
    assert (Path(options.export_path) / FINAL).read_bytes() == b"whole"


async def test_permissions_are_those_that_were_asked_for(options: DropzoneOptions) -> None:
    """Whatever the process's umask takes away."""
    before = os.umask(0o077)
    try:
        connector = FolderConnector(options)
        await connector.publish(await connector.stage(NAME, b"x"))
    finally:
        os.umask(before)
    assert Path(options.temporary_path).stat().st_mode & 0o777 == 0o750
    for name in (FINAL, f"{FINAL}.ok"):
        assert (Path(options.export_path) / name).stat().st_mode & 0o777 == 0o640


async def test_a_crash_between_document_and_done_file_is_carried_through(
    options: DropzoneOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever finds the document published announces it, and nobody announces it twice."""
    connector = FolderConnector(options)
    token = await connector.stage(NAME, b"x")
    with monkeypatch.context() as crash:
        crash.setattr(
            folder_files, "_announce", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
        )
        with pytest.raises(KeyboardInterrupt):
            folder_files.publish(options, token)
    assert names(options.export_path) == {FINAL}
    assert await connector.trace(token) is Whereabouts.PUBLISHED
    assert names(options.export_path) == {FINAL, f"{FINAL}.ok"}
    (Path(options.export_path) / FINAL).unlink()
    (Path(options.export_path) / f"{FINAL}.ok").unlink()
    with pytest.raises(TokenGone):
        await connector.publish(token)
    assert names(options.export_path) == set()


async def test_a_withdrawn_document_is_never_announced(options: DropzoneOptions) -> None:
    """Its done-token goes with it."""
    connector = FolderConnector(options)
    token = await connector.stage(NAME, b"x")
    await connector.withdraw(token)
    assert names(options.temporary_path) == {str(token.taken_back())}
    assert names(options.export_path) == set()


async def test_a_strangers_done_file_is_not_taken_for_ours(options: DropzoneOptions) -> None:
    """The document would be picked up before it is there."""
    connector = FolderConnector(options)
    token = await connector.stage(NAME, b"x")
    (Path(options.export_path) / f"{FINAL}.ok").touch()
    with pytest.raises(NameTaken):
        await connector.publish(token)
    assert names(options.export_path) == {f"{FINAL}.ok"}


async def test_leftovers_of_both_kinds_are_one_name_each(options: DropzoneOptions) -> None:
    """What a dead worker left is listed once and removed as a whole."""
    connector = FolderConnector(options)
    token = await connector.stage(NAME, b"x")
    assert list(await connector.list_leftovers()) == [token]
    await connector.discard(token)
    assert names(options.temporary_path) == set()


async def test_a_token_staged_before_the_settings_changed_is_still_found(
    options: DropzoneOptions, dropzone: Path
) -> None:
    """Its name says how it ends and its place where it is, whatever the settings become."""
    token = await FolderConnector(DropzoneOptions.at(dropzone)).stage(NAME, b"x")
    connector = FolderConnector(options)
    Path(options.temporary_path).mkdir()
    assert await connector.trace(token) is Whereabouts.STAGED
    await connector.publish(token)
    assert names(dropzone) == {FINAL}


async def test_a_token_in_a_folder_that_is_no_longer_set_is_not_taken_for_delivered(
    options: DropzoneOptions, dropzone: Path
) -> None:
    """FOLDER_CHANGED: held until the settings are right again, never reported as sent."""
    token = await FolderConnector(options).stage(NAME, b"x")
    plain = FolderConnector(DropzoneOptions.at(dropzone))
    for act in (plain.publish, plain.withdraw, plain.trace):
        with pytest.raises(TransientDeliveryError) as caught:
            await act(token)
        assert caught.value.code == "FOLDER_CHANGED"
    await FolderConnector(options).publish(token)


async def test_a_temporary_folder_on_another_file_system_is_a_wrong_setting(
    dropzone: Path,
) -> None:
    """No rename can cross; the connection test says so before anything is delivered."""
    shm = Path("/dev/shm")
    if not shm.is_dir() or shm.stat().st_dev == dropzone.stat().st_dev:
        pytest.skip("no second file system here")
    writing = shm / f"countersign-{dropzone.name}"
    options = DropzoneOptions.at(dropzone, temporary_path=PurePosixPath(writing))
    connector = FolderConnector(options)
    try:
        report = await connector.test_connection()
        assert not report.ok
        assert report.steps[-1].name == "rename"
        token = await connector.stage(NAME, b"x")
        with pytest.raises(PermanentDeliveryError) as caught:
            await connector.publish(token)
        assert caught.value.code == "BAD_CONFIG"
        assert names(dropzone) == set()
    finally:
        for path in writing.iterdir():
            path.unlink()
        writing.rmdir()


async def test_the_connection_test_looks_where_answers_are_to_come(dropzone: Path) -> None:
    """It lists them and makes the folders that they are filed in."""
    acks = dropzone / "acks"
    acks.mkdir()
    options = DropzoneOptions.at(dropzone, ack_path=PurePosixPath(acks))
    report = await FolderConnector(options).test_connection()
    assert report.ok, report
    assert [step.name for step in report.steps][-1] == "answers"
    assert names(acks) == {"processed", "error"}


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("ack_a.json", b"not json at all", ("a.json", True, "")),
        ("error_a.json", b"customer\nunknown\x00", ("a.json", False, "customer unknown")),
        ("error_a.json", b"", ("a.json", False, "The ERP refused the file.")),
    ],
)
async def test_where_presence_counts_any_content_does(
    dropzone: Path, name: str, data: bytes, expected: tuple[str, bool, str]
) -> None:
    """The name says yes or no; an error file's text is the message."""
    (dropzone / name).write_bytes(data)
    options = DropzoneOptions.at(
        dropzone, ack_path=PurePosixPath(dropzone), ack_mode=AckMode.PRESENCE
    )
    [ack] = await FolderConnector(options).poll_acks()
    message = ack.error.message if ack.error else ""
    assert (ack.file_name, ack.accepted, message) == expected


@pytest.mark.parametrize(
    "config",
    [
        {"export_path": "relative"},
        {"export_path": "/a/../b"},
        {"export_path": "/a", "temporary_suffix": "withdrawn"},
        {"export_path": "/a", "temporary_suffix": "a/b"},
        {"export_path": "/a", "done_file": "ok"},
        {"export_path": "/a", "file_permissions": "rw-r--r--"},
        {"export_path": "/a", "ack_mode": "telepathy"},
    ],
)
def test_settings_that_cannot_be_used_are_refused(config: dict[str, str]) -> None:
    """BAD_CONFIG, permanent: trying again changes nothing."""
    with pytest.raises(PermanentDeliveryError) as caught:
        DropzoneOptions.parse(config)
    assert caught.value.code == "BAD_CONFIG"
