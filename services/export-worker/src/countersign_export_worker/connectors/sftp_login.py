"""Getting into an SFTP server: resolve, connect, check its host key, log in, start SFTP.

Only what stands in the connection's settings counts. asyncssh would read ~/.ssh for settings,
known hosts and keys, and ask an agent; each of these is switched off by name.
"""

import asyncio
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncssh

from countersign_export_worker.connectors.dropzone_options import bad_config
from countersign_export_worker.connectors.sftp_errors import SFTP_ERRORS, connect_error
from countersign_export_worker.connectors.sftp_host_keys import PinnedHostKeys
from countersign_export_worker.errors import DeliveryError, PermanentDeliveryError

# Called with a step's name and its length in seconds when the step is over.
NoteStep = Callable[[str, float], None]
RESOLVE, CONNECT, HOST_KEY, AUTHENTICATE, START_SFTP = (
    "resolve",
    "connect",
    "host_key",
    "authenticate",
    "start_sftp",
)
# After so many keepalives without an answer a connection counts as dead.
_KEEPALIVES = 3
# asyncssh's own list in another order: ChaCha20 first would cost six times the CPU per packet.
_CIPHERS = (
    "aes256-gcm@openssh.com",
    "aes128-gcm@openssh.com",
    "chacha20-poly1305@openssh.com",
    "aes256-ctr",
    "aes192-ctr",
    "aes128-ctr",
)


@dataclass(frozen=True)
class SftpServer:
    """Where to log in and how; times in seconds. Secrets never show in a repr."""

    host: str
    port: int
    username: str
    host_keys: PinnedHostKeys
    secrets: Mapping[str, str] = field(repr=False)
    connect_timeout: float = 10.0
    keepalive: float = 15.0

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class SftpLogin:
    """Opens connections to one server; reads the private key once."""

    def __init__(self, server: SftpServer) -> None:
        self._server = server
        self._key: asyncssh.SSHKey | None = None

    async def open(
        self, note: NoteStep = lambda _name, _seconds: None
    ) -> tuple[asyncssh.SSHClientConnection, asyncssh.SFTPClient]:
        """A new connection with SFTP running on it, within the connect timeout.

        Raises:
            PermanentDeliveryError: HOST_KEY_MISMATCH, AUTHENTICATION_FAILED, or BAD_CONFIG for
                a private key that cannot be read.
            TransientDeliveryError: UNREACHABLE, TIMEOUT.
        """
        key = await self._private_key()
        greeter = _Greeter(self._server)
        try:
            async with asyncio.timeout(self._server.connect_timeout):
                return await self._connected(greeter, key, _Stopwatch(note))
        except DeliveryError:
            raise
        except SFTP_ERRORS as error:
            if greeter.mismatch is not None:
                raise greeter.mismatch from error
            raise connect_error(error, str(self._server), self._server.username) from error

    async def _connected(
        self, greeter: "_Greeter", key: asyncssh.SSHKey | None, watch: "_Stopwatch"
    ) -> tuple[asyncssh.SSHClientConnection, asyncssh.SFTPClient]:
        with watch.step(RESOLVE):
            addresses = await _resolve(self._server)
        with watch.step(CONNECT):
            sock = await _connect(addresses)
        greeter.watch = watch
        watch.begin(HOST_KEY)
        try:
            connection = await asyncssh.connect(
                self._server.host,
                self._server.port,
                sock=sock,
                client_factory=lambda: greeter,
                **self._options(key),
            )
        except BaseException:
            if not greeter.connected:
                sock.close()
            raise
        watch.end()
        try:
            with watch.step(START_SFTP):
                return connection, await connection.start_sftp_client()
        except BaseException:
            connection.abort()
            raise

    def _options(self, key: asyncssh.SSHKey | None) -> dict[str, Any]:
        password = self._server.secrets.get("password") or None
        return {
            "username": self._server.username,
            "password": password,
            "client_keys": None if key is None else [key],
            "known_hosts": self._server.host_keys.known_hosts,
            "server_host_key_algs": self._server.host_keys.algorithms,
            "encryption_algs": _CIPHERS,
            "keepalive_interval": self._server.keepalive,
            "keepalive_count_max": _KEEPALIVES,
            # Our own timeout covers all of it; theirs would end with less to say.
            "login_timeout": 0,
            "config": None,
            "agent_path": None,
            "client_host_keysign": False,
            "gss_host": None,
            "gss_kex": False,
            "gss_auth": False,
            "host_based_auth": False,
            "public_key_auth": key is not None,
            "password_auth": password is not None,
            # Servers with PAM often ask for the password this way alone.
            "kbdint_auth": password is not None,
            "x509_trusted_certs": None,
            "x509_trusted_cert_paths": None,
            "pkcs11_provider": None,
        }

    async def _private_key(self) -> asyncssh.SSHKey | None:
        secrets = self._server.secrets
        if not secrets.get("private_key"):
            if not secrets.get("password"):
                raise bad_config("it has neither a password nor a private key")
            return None
        if self._key is None:
            # The passphrase is stretched on purpose: that takes a tenth of a second.
            self._key = await asyncio.to_thread(
                _imported, secrets["private_key"], secrets.get("private_key_passphrase") or None
            )
        return self._key


class _Greeter(asyncssh.SSHClient):
    """Told by asyncssh how far a connection has come."""

    def __init__(self, server: SftpServer) -> None:
        self._server = server
        self.mismatch: PermanentDeliveryError | None = None
        self.watch: _Stopwatch | None = None
        self.connected = False

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        """The socket is the connection's, which closes it."""
        del conn
        self.connected = True

    def validate_host_public_key(
        self, host: str, addr: str, port: int, key: asyncssh.SSHKey
    ) -> bool:
        """Asked about keys that are not pinned only: refuses, and remembers which it was."""
        del host, addr, port
        self.mismatch = self._server.host_keys.mismatch(str(self._server), key)
        return False

    def begin_auth(self, username: str) -> None:
        """The server has proven its host key."""
        del username
        if self.watch is not None:
            self.watch.end()
            self.watch.begin(AUTHENTICATE)


class _Stopwatch:
    """Times the steps of a login, one after the other."""

    def __init__(self, note: NoteStep) -> None:
        self._note = note
        self._name = ""
        self._begun = 0.0

    def begin(self, name: str) -> None:
        self._name, self._begun = name, time.perf_counter()

    def end(self) -> None:
        self._note(self._name, time.perf_counter() - self._begun)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        self.begin(name)
        yield
        self.end()


async def _resolve(server: SftpServer) -> list[tuple[Any, ...]]:
    loop = asyncio.get_running_loop()
    return list(await loop.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM))


async def _connect(addresses: list[tuple[Any, ...]]) -> socket.socket:
    """A connection to the first address that takes one; raises what the last one said."""
    failure = OSError("no address")
    for family, kind, protocol, _name, address in addresses:
        sock = socket.socket(family, kind, protocol)
        sock.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(sock, address)
        except OSError as error:
            sock.close()
            failure = error
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise failure


def _imported(text: str, passphrase: str | None) -> asyncssh.SSHKey:
    try:
        return asyncssh.import_private_key(text, passphrase)
    except asyncssh.KeyEncryptionError as error:
        raise bad_config("the passphrase of its private key is wrong") from error
    except asyncssh.KeyImportError as error:
        why = "needs a passphrase" if "assphrase" in str(error) else "cannot be read"
        raise bad_config(f"its private key {why}") from error
