"""What a network and a server can do to a delivery: each ends as documented, nothing is half."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from countersign_export_worker.errors import (
    DeliveryError,
    PermanentDeliveryError,
    TokenGone,
    TransientDeliveryError,
)
from countersign_export_worker.ports import Whereabouts
from countersign_platform.testing.servers import SshdServer
from countersign_platform.testing.sftp_account import SftpAccount
from countersign_platform.testing.tcp_proxy import TcpProxy

pytestmark = pytest.mark.integration
LARGE = os.urandom(10_000_000)


async def _error(work: Any) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await work
    return caught.value


@pytest.fixture
def full_disk(sshd: SshdServer, zone: Any) -> Iterator[Path]:
    """The zone's folder on a file system of 64 KiB."""
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("mounting a file system of its own needs root")
    options = f"size=64k,uid={sshd.account.uid},gid={sshd.account.gid}"
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(zone.folder)],
        capture_output=True,
        check=False,
    ).returncode:
        pytest.skip("this machine does not let root mount")
    yield zone.folder
    subprocess.run(["umount", "--lazy", str(zone.folder)], check=True)


async def test_ten_megabytes_arrive_byte_for_byte(either_zone: Any, drop_name: Any) -> None:
    """The largest document that is promised."""
    token = await either_zone.connector.stage(drop_name(), LARGE)
    await either_zone.connector.publish(token)
    assert either_zone.files() == {token.final: LARGE}


async def test_fifty_deliveries_share_four_connections_at_most(
    sshd: SshdServer, open_zone: Any, drop_name: Any
) -> None:
    """None waits for ever, none opens a fifth connection, each file is its own."""
    async with TcpProxy(sshd.port) as proxy:
        zone = open_zone(sshd)
        connector = zone.open(port=proxy.port, connections=4)

        async def deliver(number: int) -> None:
            token = await connector.stage(drop_name(number), f"document {number}".encode())
            await connector.publish(token)

        await asyncio.gather(*(deliver(number) for number in range(50)))
        assert 2 <= proxy.accepted <= 4
        assert zone.files() == {
            drop_name(number).final: f"document {number}".encode() for number in range(50)
        }


async def test_connections_are_reused_and_idle_ones_closed(zone: Any, drop_name: Any) -> None:
    """One after the other needs one connection."""
    async with TcpProxy(zone.server.port) as proxy:
        connector = zone.open(port=proxy.port)
        for number in range(5):
            await connector.publish(await connector.stage(drop_name(number), b"x"))
        assert proxy.accepted == proxy.connected == 1
        await connector.aclose()
        while proxy.connected:
            await asyncio.sleep(0.01)


async def test_restart_of_the_server_between_two_deliveries_is_not_noticed(
    own_zone: Any, drop_name: Any
) -> None:
    """Dead connections are replaced before anything is sent, or once after it failed."""
    connector = own_zone.open()
    tokens = await asyncio.gather(*(connector.stage(drop_name(n), b"x") for n in range(4)))
    own_zone.server.restart()
    await asyncio.gather(*(connector.publish(token) for token in tokens))
    own_zone.server.hang_up()
    await connector.publish(await connector.stage(drop_name(5), b"y"))
    assert len(own_zone.files()) == 5
    assert not [name for name in own_zone.files() if name.startswith(".")]


async def test_server_that_stays_away_is_unreachable_and_loses_nothing(
    own_zone: Any, drop_name: Any
) -> None:
    """The token waits for the server to come back."""
    connector = own_zone.open()
    token = await connector.stage(drop_name(), b"x")
    own_zone.server.stop()
    assert (await _error(connector.publish(token))).code == "UNREACHABLE"
    own_zone.server.start()
    await connector.publish(token)
    assert own_zone.files() == {token.final: b"x"}


@pytest.mark.parametrize("sent", [20_000, 1_000_000, 9_000_000])
async def test_cut_in_mid_write_leaves_nothing(sent: int, zone: Any, drop_name: Any) -> None:
    """CONNECTION_LOST; what was written is removed over a new connection."""
    async with TcpProxy(zone.server.port) as proxy:
        connector = zone.open(port=proxy.port)
        proxy.cut_after(sent)
        error = await _error(connector.stage(drop_name(), LARGE))
        assert (type(error), error.code) == (TransientDeliveryError, "CONNECTION_LOST")
        assert zone.files() == {}
        token = await connector.stage(drop_name(), LARGE)
        assert zone.files() == {str(token): LARGE}


async def test_cut_with_the_server_gone_leaves_a_hidden_part_for_the_sweeper(
    own_zone: Any, drop_name: Any
) -> None:
    """It cannot be removed now; it has a name that the sweeper knows, and no ERP looks at."""
    async with TcpProxy(own_zone.server.port) as proxy:
        connector = own_zone.open(port=proxy.port, connect_timeout=3.0)
        staging = asyncio.create_task(connector.stage(drop_name(), LARGE))
        while not any(own_zone.files().values()):
            await asyncio.sleep(0.002)
        proxy.stall()
        proxy.cut()
        await _error(staging)
    assert all(name.startswith(".") for name in own_zone.files())
    other = own_zone.open()
    leftovers = await other.list_leftovers()
    assert [name.final for name in leftovers] == [drop_name().final]
    await other.discard(leftovers[0])
    assert own_zone.files() == {}


async def test_transfer_that_stalls_is_a_timeout(zone: Any, drop_name: Any) -> None:
    """A server that stops answering keeps nobody longer than the transfer timeout."""
    async with TcpProxy(zone.server.port) as proxy:
        connector = zone.open(port=proxy.port, transfer_timeout=2.0, connect_timeout=3.0)
        await connector.list_leftovers()
        proxy.stall()
        error = await _error(connector.stage(drop_name(), b"x"))
        assert (type(error), error.code) == (TransientDeliveryError, "TIMEOUT")
        proxy.resume()
        token = await connector.stage(drop_name(), b"x")
        assert zone.files() == {str(token): b"x"}


async def test_dead_connection_is_noticed_by_its_keepalive(zone: Any) -> None:
    """A firewall that forgot the connection says nothing: we ask."""
    async with TcpProxy(zone.server.port) as proxy:
        connector = zone.open(port=proxy.port, keepalive=0.1)
        await connector.list_leftovers()
        proxy.stall()
        async with asyncio.timeout(60):
            while connector._pool._idle[0].alive:
                await asyncio.sleep(0.02)
        proxy.resume()
        assert await connector.list_leftovers() == []
        assert proxy.accepted == 2


async def test_cancelled_stage_harms_no_later_operation(zone: Any, drop_name: Any) -> None:
    """Its connection has answers under way that nobody waits for: it is dropped."""
    async with TcpProxy(zone.server.port) as proxy:
        connector = zone.open(port=proxy.port)
        await connector.list_leftovers()
        staging = asyncio.create_task(connector.stage(drop_name(), LARGE))
        while not any(zone.files().values()):
            await asyncio.sleep(0.002)
        staging.cancel()
        await asyncio.gather(staging, return_exceptions=True)
        token = await connector.stage(drop_name(fence=2), b"x")
        await connector.publish(token)
        assert zone.files()[token.final] == b"x"
        assert proxy.accepted == 2


@pytest.mark.parametrize("replies", [False, True])
async def test_publish_cut_at_any_byte_delivers_once(
    replies: bool, either_zone: Any, drop_name: Any
) -> None:
    """Whether the rename was done may not be known then; a look afterwards tells."""
    zone = either_zone
    async with TcpProxy(zone.server.port) as proxy:
        connector = zone.open(port=proxy.port)
        for count in range(1, 1200, 60):
            token = await connector.stage(drop_name(count), b"x")
            proxy.cut_after(count, replies=replies)
            with suppress(DeliveryError, TokenGone):
                await connector.publish(token)
            if await connector.trace(token) is Whereabouts.STAGED:
                await connector.publish(token)
            assert zone.files() == {token.final: b"x"}
            zone.take(token.final)
            assert await connector.trace(token) is Whereabouts.GONE


@pytest.mark.parametrize("replies", [False, True])
async def test_withdrawal_cut_at_any_byte_is_found(
    replies: bool, either_zone: Any, drop_name: Any
) -> None:
    """The same for taking a token back."""
    zone = either_zone
    async with TcpProxy(zone.server.port) as proxy:
        connector = zone.open(port=proxy.port)
        for count in range(1, 1000, 90):
            token = await connector.stage(drop_name(count), b"x")
            proxy.cut_after(count, replies=replies)
            with suppress(DeliveryError, TokenGone):
                await connector.withdraw(token)
            if await connector.trace(token) is Whereabouts.STAGED:
                await connector.withdraw(token)
            assert zone.files() == {str(token.taken_back()): b"x"}
            await connector.discard(token.taken_back())


async def test_publish_and_withdraw_at_once_have_one_winner(
    either_zone: Any, drop_name: Any
) -> None:
    """Exactly one of them gets the token; the ERP never sees a file that was taken back."""
    zone = either_zone
    first, second = zone.open(), zone.open()
    for number in range(40):
        token = await first.stage(drop_name(number), b"x")
        results = await asyncio.gather(
            first.publish(token), second.withdraw(token), return_exceptions=True
        )
        assert sorted(map(str, map(type, results))) == sorted(map(str, (type(None), TokenGone))), (
            results
        )
        whereabouts = await first.trace(token)
        if results[0] is None:
            assert whereabouts is Whereabouts.PUBLISHED
            assert zone.files() == {token.final: b"x"}
            zone.take(token.final)
        else:
            assert whereabouts is Whereabouts.WITHDRAWN
            assert zone.files() == {str(token.taken_back()): b"x"}
            await first.discard(token.taken_back())


async def test_two_publishers_at_once_deliver_once(either_zone: Any, drop_name: Any) -> None:
    """One renames, the other finds the token gone."""
    zone = either_zone
    first, second = zone.open(), zone.open()
    for number in range(40):
        token = await first.stage(drop_name(number), b"x")
        results = await asyncio.gather(
            first.publish(token), second.publish(token), return_exceptions=True
        )
        assert {type(result) for result in results} <= {type(None), TokenGone}, results
        assert await first.trace(token) is Whereabouts.PUBLISHED
        assert zone.files() == {token.final: b"x"}
        zone.take(token.final)


async def test_full_disk_is_transient_and_leaves_nothing(
    full_disk: Path, zone: Any, drop_name: Any
) -> None:
    """The part that was written is removed, so that the disk is as free as before."""
    error = await _error(zone.connector.stage(drop_name(), b"x" * 100_000))
    assert (type(error), error.code) == (TransientDeliveryError, "DISK_FULL")
    assert zone.files() == {}
    token = await zone.connector.stage(drop_name(), b"x" * 20_000)
    await zone.connector.publish(token)
    assert zone.files() == {token.final: b"x" * 20_000}


async def test_full_disk_fails_the_connection_test_at_the_write(full_disk: Path, zone: Any) -> None:
    """The operator sees which step failed and why."""
    (full_disk / "filler").write_bytes(b"x" * 64 * 1024)
    report = await zone.connector.test_connection()
    assert (report.ok, report.failure) == (False, "DISK_FULL")
    assert report.steps[-1].name == "write"
    assert set(zone.files()) == {"filler"}


async def test_folder_without_write_permission_is_permanent(zone: Any, drop_name: Any) -> None:
    """Somebody must change the permissions; the token, if one is there, is not gone."""
    token = await zone.connector.stage(drop_name(), b"x")
    zone.folder.chmod(0o555)
    for work in (
        zone.connector.stage(drop_name(2), b"x"),
        zone.connector.publish(token),
        zone.connector.withdraw(token),
    ):
        error = await _error(work)
        assert (type(error), error.code) == (PermanentDeliveryError, "PERMISSION_DENIED")
    report = await zone.connector.test_connection()
    assert (report.failure, report.steps[-1].name) == ("PERMISSION_DENIED", "write")
    assert zone.files() == {str(token): b"x"}


async def test_missing_folder_is_permanent(zone: Any, drop_name: Any) -> None:
    """Somebody wrote a wrong path into the settings."""
    connector = zone.open(
        export_path=zone.settings().options.export_path / "missing",
        temporary_path=zone.settings().options.export_path / "missing",
    )
    error = await _error(connector.stage(drop_name(), b"x"))
    assert (type(error), error.code) == (PermanentDeliveryError, "PATH_MISSING")
    report = await connector.test_connection()
    assert (report.failure, report.steps[-1].name) == ("PATH_MISSING", "find_folder")


async def test_folder_that_vanishes_after_staging_is_not_a_delivery(
    zone: Any, drop_name: Any
) -> None:
    """Nobody concludes from a folder that is not there."""
    token = await zone.connector.stage(drop_name(), b"x")
    away = zone.folder.with_name(f"{zone.folder.name}-away")
    zone.folder.rename(away)
    for act in (zone.connector.publish, zone.connector.withdraw, zone.connector.trace):
        assert (await _error(act(token))).code == "FOLDER_CHANGED"
    away.rename(zone.folder)
    await zone.connector.publish(token)


async def test_read_only_server_is_permission_denied(
    sftp_account: SftpAccount, open_zone: Any, drop_name: Any
) -> None:
    """Some accounts may only fetch."""
    with SshdServer(sftp_account, read_only=True) as server:
        zone = open_zone(server)
        error = await _error(zone.connector.stage(drop_name(), b"x"))
        assert (type(error), error.code) == (PermanentDeliveryError, "PERMISSION_DENIED")
        assert (await zone.connector.test_connection()).failure == "PERMISSION_DENIED"
        assert zone.files() == {}


async def test_link_in_the_way_of_a_temporary_file_is_not_followed(
    either_zone: Any, drop_name: Any
) -> None:
    """Who may write to the dropzone cannot have us write elsewhere."""
    zone = either_zone
    precious = zone.server.home / f"precious-{zone.folder.name}"
    precious.write_bytes(b"precious")
    zone.server.give(precious)
    token = await zone.connector.stage(drop_name(), b"first")
    await zone.connector.discard(token)
    (zone.folder / str(token)).symlink_to(precious)
    token = await zone.connector.stage(drop_name(), b"ours")
    assert precious.read_bytes() == b"precious"
    assert not (zone.folder / str(token)).is_symlink()
    (zone.folder / token.final).symlink_to(precious)
    assert (await _error(zone.connector.publish(token))).code == "NAME_TAKEN"
    assert precious.read_bytes() == b"precious"


async def test_marker_that_is_a_link_counts_for_nothing(zone: Any, drop_name: Any) -> None:
    """A link to another folder's marker would pass this folder off as that one."""
    token = await zone.connector.stage(drop_name(), b"x")
    marker = zone.folder / ".countersign-place"
    marker.rename(zone.server.home / f"marker-{zone.folder.name}")
    marker.symlink_to(zone.server.home / f"marker-{zone.folder.name}")
    (zone.folder / str(token)).unlink()
    assert (await _error(zone.connector.trace(token))).code == "FOLDER_CHANGED"


async def test_permissions_are_the_settings_whatever_the_umask(
    sftp_account: SftpAccount, open_zone: Any, drop_name: Any
) -> None:
    """The ERP runs under another user and must be able to read, or must not."""
    with SshdServer(sftp_account, umask=0o077) as server:
        zone = open_zone(server)
        for number, mode in enumerate((0o644, 0o640, 0o600)):
            connector = zone.open(file_mode=mode)
            token = await connector.stage(drop_name(number), b"x")
            await connector.publish(token)
            assert (zone.folder / token.final).stat().st_mode & 0o777 == mode


async def test_connection_test_tells_what_the_server_can_do(zone: Any, plain_zone: Any) -> None:
    """An OpenSSH with its extensions, and one without."""
    rich = await zone.connector.test_connection()
    poor = await plain_zone.connector.test_connection()
    assert rich.ok
    assert poor.ok
    known = ("posix_rename", "fsync", "statvfs", "folder_fsync")
    assert [rich.capabilities[name] for name in known] == ["true", "true", "true", "false"]
    assert [poor.capabilities[name] for name in known] == ["false"] * 4
    assert [step.name for step in rich.steps] == [
        "resolve",
        "connect",
        "host_key",
        "authenticate",
        "start_sftp",
        "find_folder",
        "write",
        "fsync",
        "rename",
        "read_back",
        "delete",
    ]
    assert rich.clock_difference_ms == 0.0
