"""Fixtures for every distribution; a root conftest.py loads them.

    pytest_plugins = ["countersign_platform.testing.plugin"]

Servers start when the first test asks for them and live as long as the run; what a test
writes does not.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from countersign_platform.testing.databases import Databases, cloned_database, make_template
from countersign_platform.testing.queues import forget_queues
from countersign_platform.testing.servers import (
    PostgresServer,
    RabbitServer,
    RedisServer,
    S3Server,
    SshdServer,
)
from countersign_platform.testing.sftp_account import SftpAccount
from countersign_platform.testing.tokens import TestTokens


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The run's PostgreSQL 16; a test that stops servers starts one of its own."""
    with PostgresServer(fsync=False) as server:
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def template_database(postgres: PostgresServer) -> str:
    """Name of a database that is migrated; clone it, never connect to it."""
    return await make_template(postgres)


@pytest_asyncio.fixture(loop_scope="session")
async def databases(postgres: PostgresServer, template_database: str) -> AsyncIterator[Databases]:
    """A fresh migrated database, with a URL per role."""
    async with cloned_database(postgres, template_database) as cloned:
        yield cloned


@pytest.fixture(scope="session")
def rabbit_server() -> Iterator[RabbitServer]:
    """The run's RabbitMQ, for tests that share it."""
    with RabbitServer() as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def rabbit(rabbit_server: RabbitServer) -> RabbitServer:
    """The run's RabbitMQ, up, without the queues of the usual names."""
    if not rabbit_server.running:
        rabbit_server.start()
    await forget_queues(rabbit_server)
    return rabbit_server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """The run's Redis, for tests that share it."""
    with RedisServer() as server:
        yield server


@pytest.fixture
def redis(redis_server: RedisServer) -> RedisServer:
    """The run's Redis, up and empty."""
    if not redis_server.running:
        redis_server.start()
    redis_server.flush()
    return redis_server


@pytest.fixture(scope="session")
def s3(session_environment: pytest.MonkeyPatch) -> Iterator[S3Server]:
    """The run's S3, with its credentials in the environment; each test makes its own bucket."""
    for name, value in S3Server.environment.items():
        session_environment.setenv(name, value)
    with S3Server() as server:
        yield server


@pytest.fixture(scope="session")
def session_environment() -> Iterator[pytest.MonkeyPatch]:
    """Variables for the rest of the run."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="session")
def sftp_account() -> Iterator[SftpAccount]:
    """Who logs in to the run's SSH servers."""
    with SftpAccount() as account:
        yield account


@pytest.fixture(scope="session")
def sshd(sftp_account: SftpAccount) -> Iterator[SshdServer]:
    """The run's OpenSSH; a test that stops servers, or wants a poorer one, starts its own."""
    with SshdServer(sftp_account) as server:
        yield server


@pytest.fixture
def tokens(tmp_path: Path) -> TestTokens:
    """A key of the test's own and tokens signed with it."""
    return TestTokens(tmp_path / "keys")
