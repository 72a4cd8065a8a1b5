"""The SSH server of the tests is private, as strict as told, and gone at the end."""

import asyncio
import pwd
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from countersign_platform.testing.ports import answers
from countersign_platform.testing.servers import SshdServer
from countersign_platform.testing.sftp_account import SftpAccount
from countersign_platform.testing.tcp_proxy import TcpProxy

pytestmark = pytest.mark.integration


def _sftp(server: SshdServer, *commands: str) -> subprocess.CompletedProcess[str]:
    """OpenSSH's own client, which trusts the first host key alone and reads no settings."""
    known_hosts = server.folder / "known_hosts"
    known_hosts.write_text(f"[{server.host}]:{server.port} {server.host_keys[0]}\n")
    options = ["BatchMode=yes", f"UserKnownHostsFile={known_hosts}", "IdentitiesOnly=yes"]
    options += ["HostKeyAlgorithms=ssh-ed25519", "StrictHostKeyChecking=yes"]
    return subprocess.run(
        _command(server, options),
        input="\n".join(commands),
        text=True,
        capture_output=True,
        check=False,
    )


def _command(server: SshdServer, options: list[str]) -> list[str]:
    return [
        *("sftp", "-F", "none", "-P", str(server.port), "-i", str(server.private_key)),
        *(part for option in options for part in ("-o", option)),
        *("-b", "-", f"{server.username}@{server.host}"),
    ]


@pytest.fixture(scope="module")
def poor(sftp_account: SftpAccount) -> Iterator[SshdServer]:
    with SshdServer(sftp_account, refuse=("posix-rename", "fsync")) as server:
        yield server


def test_key_login_writes_into_a_folder_of_the_account(sshd: SshdServer) -> None:
    """What is written belongs to the account."""
    folder = sshd.make_folder("written")
    done = _sftp(sshd, f"put /etc/hostname {folder}/file")
    assert done.returncode == 0, done.stderr
    assert (folder / "file").stat().st_uid == sshd.account.uid


def test_refused_request_is_refused(poor: SshdServer) -> None:
    """A rename without posix-rename overwrites nothing, as of SFTP version 3."""
    folder = poor.make_folder("refused")
    (folder / "a").write_text("a")
    (folder / "b").write_text("b")
    assert _sftp(poor, f"rename {folder}/a {folder}/b").returncode != 0
    assert (folder / "b").read_text() == "b"


def test_stopping_ends_the_sessions_too(sftp_account: SftpAccount) -> None:
    """Otherwise a client would not notice a restart."""
    with SshdServer(sftp_account) as server:
        options = ["StrictHostKeyChecking=no", "BatchMode=yes", "UserKnownHostsFile=/dev/null"]
        client = subprocess.Popen(
            _command(server, options),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert client.stdin is not None
        assert client.stdout is not None
        client.stdin.write("pwd\n")
        client.stdin.flush()
        while "Remote working directory" not in client.stdout.readline():
            assert client.poll() is None
        server.restart()
        client.communicate("ls\n", timeout=20)
        assert client.returncode != 0
        assert answers(server.port)


def test_rotated_host_key_is_the_only_one(sftp_account: SftpAccount) -> None:
    """And it was known beforehand, so that a client can pin it."""
    with SshdServer(sftp_account) as server:
        old = server.host_keys
        coming = server.prepare_host_key()
        server.rotate_host_key()
        assert server.host_keys == (coming,)
        assert coming not in old
        done = _sftp(server, "pwd")
        assert done.returncode == 0, done.stderr


def test_account_is_removed_at_the_end() -> None:
    """The machine's users are what they were."""
    account = SftpAccount()
    if account.password is None:
        pytest.skip("making a user needs root")
    assert pwd.getpwnam(account.name).pw_shell == "/bin/false"
    account.close()
    with pytest.raises(KeyError):
        pwd.getpwnam(account.name)


def test_folder_of_a_closed_server_is_gone(sftp_account: SftpAccount) -> None:
    """Keys included."""
    with SshdServer(sftp_account) as server:
        folder = server.folder
    assert not Path(folder).exists()


async def test_proxy_cuts_after_so_many_bytes(sshd: SshdServer) -> None:
    """The client sees a reset; the next connection is whole."""
    async with TcpProxy(sshd.port) as proxy:
        proxy.cut_after(1)
        reader, writer = await asyncio.open_connection(sshd.host, proxy.port)
        writer.write(b"SSH-2.0-test\r\n")
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()
        reader, writer = await asyncio.open_connection(sshd.host, proxy.port)
        assert (await reader.readline()).startswith(b"SSH-2.0-OpenSSH")
        writer.close()


async def test_stalled_proxy_says_nothing_until_it_resumes(sshd: SshdServer) -> None:
    """A connection that hangs, not one that is refused."""
    async with TcpProxy(sshd.port) as proxy:
        proxy.stall()
        reader, writer = await asyncio.open_connection(sshd.host, proxy.port)
        greeting = asyncio.create_task(reader.readline())
        done, _ = await asyncio.wait({greeting}, timeout=0.1)
        assert not done
        proxy.resume()
        assert (await greeting).startswith(b"SSH-2.0-OpenSSH")
        writer.close()
