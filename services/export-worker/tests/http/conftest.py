"""A real HTTP(S) server in the ERP's place, and connectors that post to it."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from countersign_export_worker.assignment import ConnectionAccess
from countersign_export_worker.connectors.http_json import HttpJsonConnector, connector
from countersign_export_worker.file_names import DropName
from countersign_export_worker.testing.erp_server import (
    Certificates,
    ErpServer,
    answering,
    make_certificates,
    swallow,
)
from countersign_export_worker.testing.samples import CONNECTION, EXPORT, ORG

SECRET = "a-secret-of-the-tests"


def http_access(
    url: str, *, secrets: dict[str, str] | None = None, **config: Any
) -> ConnectionAccess:
    """A connection to an endpoint on this machine, patient."""
    settings = {
        "url": url,
        "allow_private_addresses": True,
        "allow_insecure": url.startswith("http:"),
        "timeout_seconds": 20,
        **{name: value for name, value in config.items() if value is not None},
    }
    return ConnectionAccess(
        CONNECTION,
        ORG,
        "HTTP_JSON_V1",
        json.dumps(settings),
        {"hmac_secret": SECRET} if secrets is None else secrets,
    )


class Erp:
    """DirectHarness over HTTP; `settings` are added to the connection's."""

    def __init__(self, server: ErpServer, **settings: Any) -> None:
        self.server = server
        self.settings = settings
        self.connector = self.open()

    def open(self, **config: Any) -> HttpJsonConnector:
        """A connector with other settings."""
        settings = {"url": self.server.url, **self.settings, **config}
        return connector(http_access(**settings))

    def received(self) -> Sequence[bytes]:
        return [each.body for each in self.server.orders]

    def refuse(self) -> None:
        self.server.behave = answering(422, "no such customer")

    def swallow(self) -> None:
        self.server.behave = swallow
        self.connector = self.open(timeout_seconds=2)

    def away(self) -> AbstractAsyncContextManager[None]:
        return self.server.away()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Of an authority that nobody trusts unless told to."""
    return make_certificates(Path(tmp_path_factory.mktemp("certificates")))


@pytest_asyncio.fixture(loop_scope="session")
async def erp() -> AsyncIterator[Erp]:
    """Over plain HTTP."""
    async with ErpServer() as server:
        yield Erp(server)


@pytest_asyncio.fixture(loop_scope="session")
async def tls_erp(certificates: Certificates) -> AsyncIterator[Erp]:
    """Over HTTPS, with an authority of its own."""
    async with ErpServer(certificates.server) as server:
        yield Erp(server, tls_ca=certificates.authority)


@pytest.fixture(params=["http", "https"])
def either_erp(request: pytest.FixtureRequest) -> Erp:
    """With and without TLS."""
    return request.getfixturevalue("erp" if request.param == "http" else "tls_erp")


@pytest.fixture
def access_to() -> Callable[..., ConnectionAccess]:
    """Makes connections to endpoints on this machine."""
    return http_access


@pytest.fixture
def drop_name() -> DropName:
    """What a delivery calls the document."""
    return DropName("sales_order_1.json", EXPORT, 1, "direct")
