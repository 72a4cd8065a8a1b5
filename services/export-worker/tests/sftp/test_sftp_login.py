"""Who is let in, and which server is trusted; nothing from the home directory counts."""

import asyncio
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from countersign_export_worker.connectors.sftp_host_keys import PinnedHostKeys
from countersign_export_worker.errors import (
    DeliveryError,
    PermanentDeliveryError,
    TransientDeliveryError,
)
from countersign_platform.testing.ports import free_ports
from countersign_platform.testing.servers import SshdServer
from countersign_platform.testing.tcp_proxy import TcpProxy

pytestmark = pytest.mark.integration
PASSPHRASE = "correct horse"


async def _refused(connector: Any) -> DeliveryError:
    """The one failure that every call of the connector ends in, the test included."""
    with pytest.raises(DeliveryError) as caught:
        await connector.list_leftovers()
    report = await connector.test_connection()
    assert (report.ok, report.failure) == (False, caught.value.code)
    assert report.steps[-1:] == () or not report.steps[-1].ok
    return caught.value


def _password_of(server: SshdServer) -> str:
    if server.password is None:
        pytest.skip("a user with a known password needs root")
    return server.password


def _fingerprint(line: str) -> str:
    return asyncssh.import_public_key(line).get_fingerprint()


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"])
@pytest.mark.parametrize("encrypted", [False, True])
async def test_private_key_of_each_kind_logs_in(
    kind: str, encrypted: bool, sshd: SshdServer, zone: Any
) -> None:
    """Ed25519, ECDSA and RSA, in the clear or behind a passphrase."""
    key = asyncssh.generate_private_key(kind)
    sshd.authorize(key.export_public_key().decode())
    passphrase = PASSPHRASE if encrypted else None
    secrets = {"private_key": key.export_private_key(passphrase=passphrase).decode()}
    if encrypted:
        secrets["private_key_passphrase"] = PASSPHRASE
    assert (await zone.open(secrets=secrets).test_connection()).ok


async def test_private_key_in_pem_logs_in(sshd: SshdServer, zone: Any) -> None:
    """The older formats are read as well as OpenSSH's own."""
    key = asyncssh.generate_private_key("ssh-rsa")
    sshd.authorize(key.export_public_key().decode())
    for form in ("pkcs1-pem", "pkcs8-pem"):
        secrets = {"private_key": key.export_private_key(form).decode()}
        assert (await zone.open(secrets=secrets).test_connection()).ok


async def test_password_logs_in(sshd: SshdServer, zone: Any) -> None:
    """The commonest way at ERP vendors."""
    assert (await zone.open(secrets={"password": _password_of(sshd)}).test_connection()).ok


async def test_wrong_password_is_permanent(sshd: SshdServer, zone: Any) -> None:
    """Trying again would lock the account; somebody must change the connection."""
    _password_of(sshd)
    error = await _refused(zone.open(secrets={"password": "wrong"}))
    assert isinstance(error, PermanentDeliveryError)
    assert error.code == "AUTHENTICATION_FAILED"
    assert "wrong" not in error.message


async def test_key_that_is_not_authorized_is_permanent(zone: Any) -> None:
    """And names the user that was refused."""
    key = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
    error = await _refused(zone.open(secrets={"private_key": key}))
    assert (type(error), error.code) == (PermanentDeliveryError, "AUTHENTICATION_FAILED")
    assert zone.server.username in error.message


@pytest.mark.parametrize(
    ("secrets", "complaint"),
    [
        ({"private_key": "not a key"}, "cannot be read"),
        ({"private_key": "ENCRYPTED"}, "needs a passphrase"),
        ({"private_key": "ENCRYPTED", "private_key_passphrase": "wrong"}, "passphrase"),
        ({}, "neither a password nor a private key"),
    ],
)
async def test_key_that_cannot_be_used_is_permanent_and_says_why(
    secrets: dict[str, str], complaint: str, zone: Any
) -> None:
    """Before any connection is made."""
    if secrets.get("private_key") == "ENCRYPTED":
        key = asyncssh.generate_private_key("ssh-ed25519")
        text = key.export_private_key(passphrase=PASSPHRASE).decode()
        secrets = secrets | {"private_key": text}
    error = await _refused(zone.open(secrets=secrets))
    assert (type(error), error.code) == (PermanentDeliveryError, "BAD_CONFIG")
    assert complaint in error.message


async def test_agent_and_home_directory_count_for_nothing(
    sshd: SshdServer, zone: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key, a known host or a setting in ~/.ssh neither lets us in nor trusts a server."""
    home = tmp_path / ".ssh"
    home.mkdir()
    (home / "id_ed25519").write_text(sshd.private_key.read_text())
    (home / "id_ed25519").chmod(0o600)
    (home / "known_hosts").write_text(f"* {sshd.host_keys[0]}\n")
    (home / "config").write_text(f"Host *\n  IdentityFile {sshd.private_key}\n  Port 1\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    stranger = asyncssh.generate_private_key("ssh-ed25519")
    secrets = {"private_key": stranger.export_private_key().decode()}
    assert (await _refused(zone.open(secrets=secrets))).code == "AUTHENTICATION_FAILED"
    pinned = PinnedHostKeys([stranger.export_public_key().decode()])
    assert (await _refused(zone.open(host_keys=pinned))).code == "HOST_KEY_MISMATCH"
    assert (await zone.open().test_connection()).ok


async def test_wrong_host_key_is_permanent_and_shows_its_fingerprint(
    sshd: SshdServer, zone: Any
) -> None:
    """So that the operator can compare it with what the server's owner says."""
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    error = await _refused(zone.open(host_keys=PinnedHostKeys([other])))
    assert (type(error), error.code) == (PermanentDeliveryError, "HOST_KEY_MISMATCH")
    assert _fingerprint(sshd.host_keys[0]) in error.message
    assert _fingerprint(other) in error.message


async def test_host_key_of_another_kind_is_a_mismatch_too(zone: Any) -> None:
    """The server has an ECDSA key, and not the pinned one."""
    other = asyncssh.generate_private_key("ssh-rsa").export_public_key().decode()
    error = await _refused(zone.open(host_keys=PinnedHostKeys([other])))
    assert error.code == "HOST_KEY_MISMATCH"
    assert "SHA256:" in error.message


async def test_each_host_key_of_a_server_can_be_the_pinned_one(sshd: SshdServer, zone: Any) -> None:
    """The server is asked for the kind that is pinned, whatever it prefers."""
    for line in sshd.host_keys:
        assert (await zone.open(host_keys=PinnedHostKeys([line])).test_connection()).ok


async def test_rotation_with_both_keys_pinned_fails_no_delivery(
    own_sshd: SshdServer, own_zone: Any, drop_name: Any
) -> None:
    """Before and after the change; whoever pinned the old key alone is told of the new one."""
    old = own_sshd.host_keys[0]
    new = own_sshd.prepare_host_key()
    both = own_zone.open(host_keys=PinnedHostKeys([old, new]))
    await both.publish(await both.stage(drop_name(1), b"before"))
    own_sshd.rotate_host_key()
    await both.publish(await both.stage(drop_name(2), b"after"))
    assert sorted(own_zone.files().values()) == [b"after", b"before"]
    error = await _refused(own_zone.open(host_keys=PinnedHostKeys([old])))
    assert error.code == "HOST_KEY_MISMATCH"
    assert _fingerprint(new) in error.message


@pytest.mark.parametrize("lines", [[], ["nonsense"], ["ssh-ed25519 AAAA"]])
def test_host_key_that_is_none_is_refused_at_once(lines: list[str]) -> None:
    """A connection without a pinned key would trust anybody."""
    with pytest.raises(PermanentDeliveryError) as caught:
        PinnedHostKeys(lines)
    assert caught.value.code == "BAD_CONFIG"


async def test_closed_port_is_unreachable(zone: Any) -> None:
    """The server is down: the same again may work later."""
    error = await _refused(zone.open(port=free_ports(1)[0]))
    assert (type(error), error.code) == (TransientDeliveryError, "UNREACHABLE")


async def test_name_that_does_not_resolve_is_unreachable(zone: Any) -> None:
    """DNS may come back, too."""
    error = await _refused(zone.open(host="no-such-host.invalid"))
    assert (type(error), error.code) == (TransientDeliveryError, "UNREACHABLE")


async def test_server_that_is_no_ssh_server_is_unreachable(zone: Any) -> None:
    """Somebody else has the port."""

    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        error = await _refused(zone.open(port=server.sockets[0].getsockname()[1]))
    assert (type(error), error.code) == (TransientDeliveryError, "UNREACHABLE")


async def test_server_that_says_nothing_is_a_timeout(sshd: SshdServer, zone: Any) -> None:
    """Within the connect timeout, though it accepts the connection."""
    async with TcpProxy(sshd.port) as proxy:
        proxy.stall()
        connector = zone.open(port=proxy.port, connect_timeout=0.3)
        began = asyncio.get_running_loop().time()
        error = await _refused(connector)
        assert (type(error), error.code) == (TransientDeliveryError, "TIMEOUT")
        assert asyncio.get_running_loop().time() - began < 5


async def test_secrets_show_in_no_text(zone: Any) -> None:
    """Settings end up in logs and tracebacks."""
    settings = zone.settings(secrets={"password": "hunter2", "private_key": "PRIVATE"})
    assert "hunter2" not in repr(settings)
    assert "PRIVATE" not in repr(settings)
