"""Files that are written, or renamed, at the same time: few syncs, and an answer for each."""

import asyncio
import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from countersign_export_worker.connectors import folder_files
from countersign_export_worker.connectors.dropzone_options import DropzoneOptions
from countersign_export_worker.connectors.folder import FolderConnector
from countersign_export_worker.errors import (
    NameTaken,
    PermanentDeliveryError,
    TokenGone,
    TransientDeliveryError,
)
from countersign_export_worker.file_names import DropName

MANY = 20


def name(number: int) -> DropName:
    return DropName(f"sales_order_{number}.json", UUID(int=number + 1), 1)


def document(number: int) -> bytes:
    return f"document {number}".encode()


FILES = [(name(number), document(number)) for number in range(MANY)]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is written, synced and renamed, in that order."""
    seen: list[str] = []

    def note(what: str, call: Callable[..., object]) -> Callable[..., object]:
        def noted(*args: object, **more: object) -> object:
            seen.append(what)
            return call(*args, **more)

        return noted

    fsync = os.fsync

    def sync(handle: int) -> None:
        seen.append("sync folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "sync file")
        fsync(handle)

    monkeypatch.setattr(folder_files.os, "write", note("write", os.write))
    monkeypatch.setattr(folder_files.os, "fsync", sync)
    monkeypatch.setattr(folder_files, "rename_new", note("rename", folder_files.rename_new))
    return seen


async def test_each_of_many_at_once_is_its_own(dropzone: Path, calls: list[str]) -> None:
    """Twenty deliveries, each with its bytes under its name; not forty syncs of the folder."""
    connector = FolderConnector(DropzoneOptions.at(dropzone))

    async def deliver(number: int) -> None:
        await connector.publish(await connector.stage(name(number), document(number)))

    await asyncio.gather(*(deliver(number) for number in range(MANY)))
    found = {path.name: path.read_bytes() for path in dropzone.iterdir()}
    assert found == {name(number).final: document(number) for number in range(MANY)}
    assert calls.count("sync folder") < MANY


def test_all_are_written_before_the_first_is_synced(dropzone: Path, calls: list[str]) -> None:
    """So that a journal is written once; the folder comes last, when every byte is on disk."""
    folder_files.stage_all(DropzoneOptions.at(dropzone), FILES)
    assert calls == ["write"] * MANY + ["sync file"] * MANY + ["sync folder"]


def test_done_files_are_shown_when_all_documents_are_durable(
    dropzone: Path, calls: list[str]
) -> None:
    options = DropzoneOptions.at(dropzone, done_suffix=".ok")
    tokens = folder_files.stage_all(options, FILES[:3])
    calls.clear()
    assert folder_files.publish_all(options, tokens) == [None] * 3
    assert calls == ["rename"] * 3 + ["sync folder"] + ["rename"] * 3 + ["sync folder"]
    assert len(list(dropzone.glob("*.ok"))) == 3


async def test_who_cannot_be_written_keeps_no_other_from_it(dropzone: Path) -> None:
    connector = FolderConnector(DropzoneOptions.at(dropzone))
    long = DropName(f"{'x' * 240}.json", UUID(int=99), 1)
    files = [*FILES, (long, b"x")]
    *tokens, error = await asyncio.gather(
        *(connector.stage(*file) for file in files), return_exceptions=True
    )
    assert isinstance(error, PermanentDeliveryError)
    assert error.code == "NAME_TOO_LONG"
    assert {path.name for path in dropzone.iterdir()} == {str(token) for token in tokens}


def test_file_that_does_not_reach_the_disk_is_removed_and_no_other(
    dropzone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = DropzoneOptions.at(dropzone, done_suffix=".ok")
    fsync, files = os.fsync, iter(range(1, 100))

    def fail_third(handle: int) -> None:
        if stat.S_ISREG(os.fstat(handle).st_mode) and next(files) == 3:
            raise OSError(errno.EIO, "injected")
        fsync(handle)

    monkeypatch.setattr(folder_files.os, "fsync", fail_third)
    first, second, third = folder_files.stage_all(options, FILES[:3])
    assert isinstance(second, OSError)
    left = {path.name for path in dropzone.iterdir()}
    assert left == {str(first), f"{first}.done", str(third), f"{third}.done"}


async def test_names_that_do_not_reach_the_disk_are_nobodys_token(
    dropzone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everybody hears of it, and nothing of any file remains."""
    fsync = os.fsync

    def fail(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EIO, "injected")
        fsync(handle)

    connector = FolderConnector(DropzoneOptions.at(dropzone))
    monkeypatch.setattr(folder_files.os, "fsync", fail)
    errors = await asyncio.gather(
        *(connector.stage(*file) for file in FILES), return_exceptions=True
    )
    assert {(type(error), error.code) for error in errors} == {(TransientDeliveryError, "IO_ERROR")}
    assert list(dropzone.iterdir()) == []


async def test_of_many_published_at_once_each_has_its_own_answer(dropzone: Path) -> None:
    """One whose name a stranger took, one whose token is gone, and the rest."""
    connector = FolderConnector(DropzoneOptions.at(dropzone))
    tokens = await asyncio.gather(*(connector.stage(*file) for file in FILES))
    (dropzone / tokens[7].final).write_bytes(b"a stranger's")
    (dropzone / str(tokens[9])).unlink()
    answers = await asyncio.gather(
        *(connector.publish(token) for token in tokens), return_exceptions=True
    )
    refused = {number: type(answer) for number, answer in enumerate(answers) if answer is not None}
    assert refused == {7: NameTaken, 9: TokenGone}
    assert (dropzone / tokens[7].final).read_bytes() == b"a stranger's"
    published = {path.name for path in dropzone.iterdir()} - {str(tokens[7])}
    assert published == {token.final for token in tokens if token is not tokens[9]}


async def test_folder_that_is_away_is_away_for_all(dropzone: Path) -> None:
    connector = FolderConnector(DropzoneOptions.at(dropzone / "share"))
    errors = await asyncio.gather(
        *(connector.stage(*file) for file in FILES), return_exceptions=True
    )
    assert {error.code for error in errors} == {"PATH_MISSING"}
