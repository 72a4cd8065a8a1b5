"""What a disk can do to a delivery, on real file systems."""

import asyncio
import errno
import os
import shutil
import stat
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from uuid import UUID

import pytest

from countersign_export_worker.connectors import atomic_rename, folder_files
from countersign_export_worker.connectors.atomic_rename import rename_new
from countersign_export_worker.connectors.dropzone_options import DropzoneOptions
from countersign_export_worker.connectors.folder import FolderConnector
from countersign_export_worker.connectors.os_errors import delivery_error
from countersign_export_worker.errors import (
    DeliveryError,
    PermanentDeliveryError,
    TokenGone,
    TransientDeliveryError,
)
from countersign_export_worker.file_names import DropName

NAME = DropName("sales_order_1.json", UUID("0192f0c1-0000-7000-8000-0000000000e1"), 1)
OrdinaryUser = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of 64 KiB."""
    with _mounted("-t", "tmpfs", "-o", "size=64k", "tmpfs") as folder:
        yield folder


@pytest.fixture
def read_only_view(dropzone: Path) -> Iterator[Path]:
    """The dropzone, mounted read-only at another path."""
    with _mounted("--bind", "-o", "ro", str(dropzone)) as folder:
        yield folder


@contextmanager
def _mounted(*what: str) -> Iterator[Path]:
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("mounting a file system of its own needs root")
    folder = Path(tempfile.mkdtemp(prefix="countersign-mount-"))
    try:
        if subprocess.run(
            ["mount", *what, str(folder)], capture_output=True, check=False
        ).returncode:
            pytest.skip("this machine does not let root mount")
        try:
            yield folder
        finally:
            subprocess.run(["umount", str(folder)], check=True)
    finally:
        folder.rmdir()


async def test_full_disk_is_transient_and_leaves_no_part_of_the_file(small_disk: Path) -> None:
    """The half that was written is removed, so that the disk is as free as before."""
    connector = FolderConnector(DropzoneOptions.at(small_disk))
    with pytest.raises(TransientDeliveryError) as caught:
        await connector.stage(NAME, b"x" * 100_000)
    assert caught.value.code == "DISK_FULL"
    assert list(small_disk.iterdir()) == []
    token = await connector.stage(NAME, b"x" * 20_000)
    assert [path.name for path in small_disk.iterdir()] == [str(token)]


async def test_full_disk_fails_the_connection_test_at_the_write(small_disk: Path) -> None:
    """The operator sees which step failed and why."""
    (small_disk / "filler").write_bytes(b"x" * 64 * 1024)
    report = await FolderConnector(DropzoneOptions.at(small_disk)).test_connection()
    assert (report.ok, report.failure) == (False, "DISK_FULL")
    assert [(step.name, step.ok) for step in report.steps] == [("connect", True), ("write", False)]
    assert [path.name for path in small_disk.iterdir()] == ["filler"]


async def test_folder_without_write_permission_is_permanent(
    dropzone: Path, ordinary_user: OrdinaryUser
) -> None:
    """Trying again does not help; somebody must change the permissions."""
    dropzone.chmod(0o555)
    with ordinary_user():
        with pytest.raises(PermanentDeliveryError) as caught:
            await FolderConnector(DropzoneOptions.at(dropzone)).stage(NAME, b"x")
        report = await FolderConnector(DropzoneOptions.at(dropzone)).test_connection()
    assert caught.value.code == report.failure == "PERMISSION_DENIED"
    assert list(dropzone.iterdir()) == []


async def test_token_in_a_folder_that_became_read_only_is_not_gone(
    dropzone: Path, ordinary_user: OrdinaryUser
) -> None:
    """Neither publish nor withdraw works, and neither says that the token is gone."""
    with ordinary_user():
        token = await FolderConnector(DropzoneOptions.at(dropzone)).stage(NAME, b"x")
    dropzone.chmod(0o555)
    with ordinary_user():
        for act in (
            FolderConnector(DropzoneOptions.at(dropzone)).publish,
            FolderConnector(DropzoneOptions.at(dropzone)).withdraw,
        ):
            with pytest.raises(PermanentDeliveryError) as caught:
                await act(token)
            assert caught.value.code == "PERMISSION_DENIED"
    assert [path.name for path in dropzone.iterdir()] == [str(token)]


async def test_read_only_file_system_is_permission_denied(read_only_view: Path) -> None:
    """A read-only mount is a permission that nobody has."""
    with pytest.raises(PermanentDeliveryError) as caught:
        await FolderConnector(DropzoneOptions.at(read_only_view)).stage(NAME, b"x")
    assert caught.value.code == "PERMISSION_DENIED"


async def test_missing_folder_is_transient_and_says_so(dropzone: Path) -> None:
    """A share that is not mounted looks like this; it may be back soon."""
    connector = FolderConnector(DropzoneOptions.at(dropzone / "missing"))
    for act in (connector.stage(NAME, b"x"), connector.publish(NAME), connector.trace(NAME)):
        with pytest.raises(TransientDeliveryError) as caught:
            await act
        assert caught.value.code == "PATH_MISSING"
    report = await connector.test_connection()
    assert (report.failure, report.steps[-1].name) == ("PATH_MISSING", "connect")


async def test_path_through_a_file_is_permanent(dropzone: Path) -> None:
    """Somebody wrote a wrong path into the settings."""
    (dropzone / "file").touch()
    for path in (dropzone / "file", dropzone / "file" / "below"):
        with pytest.raises(PermanentDeliveryError) as caught:
            await FolderConnector(DropzoneOptions.at(path)).stage(NAME, b"x")
        assert caught.value.code == "PATH_NOT_A_FOLDER"


async def test_link_in_the_way_of_a_temporary_file_is_not_followed(dropzone: Path) -> None:
    """Who may write to the dropzone cannot have us write elsewhere."""
    elsewhere = dropzone / "elsewhere"
    elsewhere.write_bytes(b"precious")
    place = f"{dropzone.stat().st_ino:x}"
    (dropzone / str(NAME.at(place))).symlink_to(elsewhere)
    token = await FolderConnector(DropzoneOptions.at(dropzone)).stage(NAME, b"ours")
    assert elsewhere.read_bytes() == b"precious"
    assert (dropzone / str(token)).read_bytes() == b"ours"
    assert not (dropzone / str(token)).is_symlink()


@pytest.mark.parametrize("failing", ["write", "fsync", "folder fsync"])
async def test_file_whose_write_failed_is_removed(
    failing: str, dropzone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of the disk at any step leaves nothing, and may pass."""
    real_fsync = os.fsync

    def fail(*_args: object) -> int:
        raise OSError(errno.EIO, "injected")

    def fsync(handle: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(handle).st_mode)
        if is_folder == (failing == "folder fsync"):
            fail()
        real_fsync(handle)

    if failing == "write":
        monkeypatch.setattr(folder_files.os, "write", fail)
    else:
        monkeypatch.setattr(folder_files.os, "fsync", fsync)
    with pytest.raises(TransientDeliveryError) as caught:
        await FolderConnector(DropzoneOptions.at(dropzone)).stage(NAME, b"x")
    assert caught.value.code == "IO_ERROR"
    assert list(dropzone.iterdir()) == []


async def test_short_writes_still_write_everything(
    dropzone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operating system may take less than it was given."""
    real_write = os.write
    monkeypatch.setattr(
        folder_files.os, "write", lambda handle, data: real_write(handle, bytes(data[:7]))
    )
    token = await FolderConnector(DropzoneOptions.at(dropzone)).stage(NAME, b"0123456789" * 10)
    assert (dropzone / str(token)).read_bytes() == b"0123456789" * 10


async def test_publish_that_is_not_durable_is_no_publish(
    dropzone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SENT is reported only after the folder was synced; the next try finds the file."""
    connector = FolderConnector(DropzoneOptions.at(dropzone))
    token = await connector.stage(NAME, b"x")
    with monkeypatch.context() as patch:
        patch.setattr(
            folder_files.os, "fsync", lambda _: (_ for _ in ()).throw(OSError(errno.EIO, "x"))
        )
        with pytest.raises(TransientDeliveryError):
            await connector.publish(token)
    with pytest.raises(TokenGone):
        await connector.publish(token)
    assert await connector.trace(token) == "PUBLISHED"


def test_rename_overwrites_nothing_where_the_kernel_cannot_promise_it(
    dropzone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On NFS and the like the target is looked for first."""
    monkeypatch.setattr(atomic_rename, "_EXCLUSIVE_RENAME", (_einval, 1))
    (dropzone / "a").write_bytes(b"a")
    (dropzone / "b").write_bytes(b"b")
    with folder_files.open_folder(dropzone) as folder:
        with pytest.raises(FileExistsError):
            rename_new(folder, "a", "b")
        with pytest.raises(FileNotFoundError):
            rename_new(folder, "missing", "b")
        rename_new(folder, "a", "c")
    assert {path.name: path.read_bytes() for path in dropzone.iterdir()} == {"b": b"b", "c": b"a"}


def _einval(*_args: object) -> int:
    atomic_rename.ctypes.set_errno(errno.EINVAL)
    return -1


@pytest.mark.parametrize(
    ("number", "code", "kind"),
    [
        (errno.ENOSPC, "DISK_FULL", TransientDeliveryError),
        (errno.EDQUOT, "DISK_FULL", TransientDeliveryError),
        (errno.ESTALE, "UNREACHABLE", TransientDeliveryError),
        (errno.EIO, "IO_ERROR", TransientDeliveryError),
        (errno.EMFILE, "IO_ERROR", TransientDeliveryError),
        (errno.EACCES, "PERMISSION_DENIED", PermanentDeliveryError),
        (errno.EPERM, "PERMISSION_DENIED", PermanentDeliveryError),
        (errno.EROFS, "PERMISSION_DENIED", PermanentDeliveryError),
    ],
)
def test_errors_of_the_system_have_one_meaning(
    number: int, code: str, kind: type[DeliveryError]
) -> None:
    """The table, with the folder in the operator's sentence."""
    error = delivery_error(OSError(number, os.strerror(number)), Path("/dropzone"))
    assert type(error) is kind
    assert error.code == code
    assert "/dropzone" in error.message


async def test_share_that_hangs_keeps_its_own_threads_only(
    dropzone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another folder is served meanwhile, and the hung calls end when the share is back."""
    release = threading.Event()
    hung_path = dropzone / "hung"

    def list_leftovers(path: Path) -> list[DropName]:
        if path == hung_path:
            release.wait()
        return []

    monkeypatch.setattr(folder_files, "list_leftovers", list_leftovers)
    hung = FolderConnector(DropzoneOptions.at(hung_path), threads=2)
    before = threading.active_count()
    calls = [asyncio.create_task(hung.list_leftovers()) for _ in range(20)]
    assert await FolderConnector(DropzoneOptions.at(dropzone)).list_leftovers() == []
    assert not any(call.done() for call in calls)
    assert threading.active_count() < before + 20
    release.set()
    assert await asyncio.gather(*calls) == [[]] * 20
    await hung.aclose()
