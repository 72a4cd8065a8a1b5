"""An archive that is away is away: never empty, and what is kept is whole."""

import asyncio
import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from countersign_core.errors import Unavailable
from countersign_platform.archive.folder import FolderArchive
from countersign_platform.archive.folder_file import FolderFile, bring_in
from countersign_platform.archive.port import Archive, ArchiveConflict
from countersign_platform.testing.ports import free_ports
from countersign_platform.testing.servers import S3Server
from countersign_platform.testing.tcp_proxy import TcpProxy

pytestmark = pytest.mark.integration

OpenS3 = Callable[..., Archive]

DIES_AT_SYNC = """
import asyncio, os, signal, sys
from pathlib import Path
from countersign_platform.archive.folder import FolderArchive
calls = 0
def die(descriptor, sync=os.fsync, at=int(sys.argv[2])):
    global calls
    calls += 1
    if calls == at:
        os.kill(os.getpid(), signal.SIGKILL)
    sync(descriptor)
os.fsync = die
asyncio.run(FolderArchive.open(Path(sys.argv[1]), 10).put("a/b", b"whole"))
print(calls)
"""


async def reasons(archive: Archive) -> list[str]:
    """What each call says of an archive that is away."""
    said = []
    for call in (archive.put("a/b", b"x"), archive.get("a/b"), archive.exists("a/b")):
        with pytest.raises(Unavailable) as caught:
            await call
        said.append(str(caught.value))
    with pytest.raises(Unavailable):
        _ = [key async for key in archive.list_keys("a")]
    return said


async def test_s3_that_does_not_answer_is_away(bucket: str, open_s3: OpenS3) -> None:
    archive = open_s3(bucket, endpoint=f"http://127.0.0.1:{free_ports(1)[0]}")
    assert all(each.startswith("The archive: ") for each in await reasons(archive))


async def test_s3_that_stalls_is_away_when_its_time_is_up(
    s3: S3Server, bucket: str, open_s3: OpenS3
) -> None:
    async with TcpProxy(s3.port) as proxy:
        archive = open_s3(
            bucket, endpoint=f"http://127.0.0.1:{proxy.port}", archive_timeout_seconds=0.3
        )
        proxy.stall()
        await reasons(archive)


async def test_s3_connection_cut_in_an_upload_leaves_nothing_and_the_next_try_is_whole(
    s3: S3Server, bucket: str, open_s3: OpenS3
) -> None:
    data = os.urandom(1 << 20)
    async with TcpProxy(s3.port) as proxy:
        archive = open_s3(bucket, endpoint=f"http://127.0.0.1:{proxy.port}")
        proxy.cut_after(300_000)
        # The client tries again by itself; whether it does is its own affair.
        try:
            await archive.put("a/b", data)
        except Unavailable:
            assert not await archive.exists("a/b")
            await archive.put("a/b", data)
        assert await archive.get("a/b") == data


async def test_bucket_that_is_gone_is_not_an_empty_archive(s3: S3Server, open_s3: OpenS3) -> None:
    archive = open_s3("s3://never-made")
    for call in (archive.put("a/b", b"x"), archive.get("a/b")):
        with pytest.raises(Unavailable, match="bucket or container is not there"):
            await call


async def test_store_without_conditional_creation_is_looked_at_before_it_is_written(
    bucket: str, open_s3: OpenS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CONDITIONAL_PUT", "disabled")
    archive = open_s3(bucket)
    await archive.put("a/b", b"first")
    await archive.put("a/b", b"first")
    with pytest.raises(ArchiveConflict):
        await archive.put("a/b", b"second")
    assert await archive.get("a/b") == b"first"


@pytest.mark.parametrize("sync", range(1, 8))
async def test_writer_killed_at_any_sync_leaves_the_whole_file_or_none(
    tmp_path: Path, sync: int
) -> None:
    folder = tmp_path / "archive"
    command = [sys.executable, "-c", DIES_AT_SYNC, str(folder), str(sync)]
    run = await asyncio.to_thread(subprocess.run, command, check=False, stdout=subprocess.PIPE)
    assert run.returncode == -signal.SIGKILL or int(run.stdout) < sync
    archive = FolderArchive.open(folder, 10)
    before = [key async for key in archive.list_keys()]
    assert before in ([], ["a/b"])
    await archive.put("a/b", b"whole")
    assert await archive.get("a/b") == b"whole"


async def test_what_a_killed_writer_left_is_removed_a_day_later(folder: Path) -> None:
    await FolderArchive.open(folder, 10).put("a", b"x")
    incoming = folder / ".incoming"
    old, fresh = incoming / "old", incoming / "fresh"
    for leftover in (old, fresh):
        leftover.write_bytes(b"half")
    two_days_ago = time.time() - 2 * 86_400
    os.utime(old, (two_days_ago, two_days_ago))
    await FolderArchive.open(folder, 10).put("b", b"x")
    assert list(incoming.iterdir()) == [fresh]


async def test_folder_that_is_gone_is_not_an_empty_archive(folder: Path) -> None:
    archive = FolderArchive.open(folder, 10)
    await archive.put("a", b"x")
    folder.rename(folder.with_name("unmounted"))
    for call in (archive.get("a"), archive.exists("a"), archive.put("b", b"x")):
        with pytest.raises(Unavailable, match="folder is not there"):
            await call


async def test_full_disk_is_away_and_leaves_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = FolderArchive.open(folder, 10)

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    await archive.put("a", b"x")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(Unavailable, match="No space left"):
            await archive.put("b", b"x")
    assert [key async for key in archive.list_keys()] == ["a"]
    assert list((folder / ".incoming").iterdir()) == []


def test_many_are_written_before_the_first_is_synced_and_each_fails_for_itself(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A journal is written once for all of them; a file that is not synced takes no name."""
    folder.mkdir(parents=True)
    calls: list[str] = []
    write, fsync = os.write, os.fsync

    def noted_write(descriptor: int, data: bytes) -> int:
        calls.append("write")
        return write(descriptor, data)

    def failing_fsync(descriptor: int) -> None:
        calls.append("sync")
        if calls.count("sync") == 3:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        fsync(descriptor)

    monkeypatch.setattr(os, "write", noted_write)
    monkeypatch.setattr(os, "fsync", failing_fsync)
    keys = [f"key-{number}" for number in range(5)]
    files = [FolderFile(key, b"x", path=folder / key, incoming=folder) for key in keys]
    bring_in(files)
    assert calls == ["write"] * 5 + ["sync"] * 5
    failed = [isinstance(file.error, Unavailable) for file in files]
    assert failed == [False, False, True, False, False]
    assert {path.name for path in folder.iterdir()} == {*keys} - {"key-2"}


async def test_folder_that_cannot_be_made_keeps_no_other_file_from_the_archive(
    folder: Path,
) -> None:
    """A key that is a file has nothing below it; who puts there hears of it, and nobody else."""
    archive = FolderArchive.open(folder, 10)
    await archive.put("file", b"x")
    keys = [f"folder/{number}" for number in range(20)]
    keys[10] = "file/below"
    errors = await asyncio.gather(*(archive.put(key, b"x") for key in keys), return_exceptions=True)
    assert [number for number, error in enumerate(errors) if error] == [10]
    assert isinstance(errors[10], Unavailable)
    assert len([key async for key in archive.list_keys("folder")]) == 19


async def test_folder_without_hard_links_keeps_its_promises(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_source: Path, _target: Path) -> None:
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))

    monkeypatch.setattr(os, "link", refused)
    archive = FolderArchive.open(folder, 10)
    await archive.put("a", b"first")
    await archive.put("a", b"first")
    with pytest.raises(ArchiveConflict):
        await archive.put("a", b"second")
    assert await archive.get("a") == b"first"


def test_client_of_an_object_store_is_loaded_only_where_there_is_one() -> None:
    code = (
        "import sys\n"
        "from countersign_platform.archive.opening import open_archive\n"
        "from countersign_platform.settings import ArchiveSettings\n"
        "open_archive(ArchiveSettings(archive_url='file:///tmp/never-made'))\n"
        "assert open_archive(ArchiveSettings()) is None\n"
        "print('obstore' in sys.modules)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout.strip() == "False"
