"""A connector on a fresh folder of a real OpenSSH server, and the ways to break it."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from countersign_export_worker.connectors.dropzone_options import DropzoneOptions
from countersign_export_worker.connectors.sftp import SftpConnector
from countersign_export_worker.connectors.sftp_host_keys import PinnedHostKeys
from countersign_export_worker.connectors.sftp_login import SftpServer
from countersign_export_worker.connectors.sftp_place import MARKER
from countersign_export_worker.connectors.sftp_settings import SftpSettings
from countersign_export_worker.file_names import DropName
from countersign_platform.testing.servers import SshdServer
from countersign_platform.testing.sftp_account import SftpAccount

EXPORT = UUID("0192f0c1-0000-7000-8000-0000000000e1")


class Zone:
    """A folder on a server as the ERP sees it, and connectors on it."""

    def __init__(self, server: SshdServer) -> None:
        self.server = server
        self.folder = server.make_folder(f"zone-{uuid4().hex[:8]}")
        self._opened: list[SftpConnector] = []

    def settings(self, **changes: object) -> SftpSettings:
        """By key, over the server's own port; `changes` of any part of them."""
        server = SftpServer(
            host=self.server.host,
            port=self.server.port,
            username=self.server.username,
            host_keys=PinnedHostKeys(self.server.host_keys[:1]),
            secrets={"private_key": self.server.private_key.read_text()},
        )
        of_server = {name: changes.pop(name) for name in list(changes) if hasattr(server, name)}
        options = DropzoneOptions.at(self.folder)
        of_options = {name: changes.pop(name) for name in list(changes) if hasattr(options, name)}
        return SftpSettings(replace(server, **of_server), replace(options, **of_options), **changes)

    def open(self, **changes: object) -> SftpConnector:
        """A connector, closed at the test's end."""
        self._opened.append(SftpConnector(self.settings(**changes)))
        return self._opened[-1]

    @property
    def connector(self) -> SftpConnector:
        """The same one each time."""
        return self._opened[0] if self._opened else self.open()

    def files(self) -> Mapping[str, bytes]:
        """Everything there but the marker of the place."""
        paths = (path for path in self.folder.iterdir() if path.is_file())
        return {path.name: path.read_bytes() for path in paths if path.name != MARKER}

    def put(self, name: str, data: bytes) -> None:
        (self.folder / name).write_bytes(data)

    def take(self, name: str) -> None:
        (self.folder / name).unlink()

    @contextmanager
    def elsewhere(self) -> Iterator[None]:
        """Another, empty folder at the same path."""
        away = self.folder.with_name(f"{self.folder.name}-away")
        self.folder.rename(away)
        self.server.make_folder(self.folder.name)
        try:
            yield
        finally:
            for path in self.folder.iterdir():
                path.unlink()
            self.folder.rmdir()
            away.rename(self.folder)

    async def close(self) -> None:
        for connector in self._opened:
            await connector.aclose()


def drop_name(number: int = 1, fence: int = 1) -> DropName:
    """The `number`-th export's."""
    return DropName(f"sales_order_{number}.json", UUID(int=EXPORT.int + number), fence)


@pytest.fixture(name="drop_name")
def _drop_name() -> Callable[..., DropName]:
    return drop_name


@pytest.fixture(scope="session")
def plain_sshd(sftp_account: SftpAccount) -> Iterator[SshdServer]:
    """A server with nothing but version 3 of the protocol."""
    refused = ("posix-rename", "fsync", "statvfs", "fstatvfs", "hardlink", "limits")
    with SshdServer(sftp_account, refuse=refused) as server:
        yield server


@pytest.fixture
def own_sshd(sftp_account: SftpAccount) -> Iterator[SshdServer]:
    """A server for this test alone, to stop and change."""
    with SshdServer(sftp_account) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def open_zone() -> AsyncIterator[Callable[[SshdServer], Zone]]:
    """Opens a fresh folder on any server."""
    zones: list[Zone] = []

    def open_one(server: SshdServer) -> Zone:
        zones.append(Zone(server))
        return zones[-1]

    yield open_one
    for zone in zones:
        await zone.close()


@pytest.fixture
def zone(sshd: SshdServer, open_zone: Callable[[SshdServer], Zone]) -> Zone:
    """A fresh folder on the run's server."""
    return open_zone(sshd)


@pytest.fixture
def plain_zone(plain_sshd: SshdServer, open_zone: Callable[[SshdServer], Zone]) -> Zone:
    """A fresh folder on the poor server."""
    return open_zone(plain_sshd)


@pytest.fixture
def own_zone(own_sshd: SshdServer, open_zone: Callable[[SshdServer], Zone]) -> Zone:
    """A fresh folder on a server for this test alone."""
    return open_zone(own_sshd)


@pytest.fixture(params=["rich", "plain"])
def either_zone(request: pytest.FixtureRequest) -> Zone:
    """On a server with OpenSSH's extensions, and on one without."""
    return request.getfixturevalue("zone" if request.param == "rich" else "plain_zone")
