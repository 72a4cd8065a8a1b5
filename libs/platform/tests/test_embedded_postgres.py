"""The server of the one-machine stack."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from countersign_platform.embedded_postgres import EmbeddedPostgres

pytestmark = pytest.mark.integration


@pytest.fixture
def folder() -> Iterator[Path]:
    # pytest's own folders are closed to the account that PostgreSQL runs as under root.
    with tempfile.TemporaryDirectory() as path:
        Path(path).chmod(0o711)
        yield Path(path) / "postgres"


async def fetch(server: EmbeddedPostgres, sql: str) -> object:
    connection = await asyncpg.connect(server.url("orders"))
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_data_outlives_the_server(folder: Path) -> None:
    """Stop, start: the same database; making it again is no error."""
    server = EmbeddedPostgres(folder)
    server.start()
    try:
        server.create_database("orders")
        await fetch(server, "CREATE TABLE t AS SELECT 1 AS x")
    finally:
        server.stop()
    server.start()
    try:
        server.create_database("orders")
        assert await fetch(server, "SELECT x FROM t") == 1
    finally:
        server.stop()


async def test_settings_are_postgresqls_own(folder: Path) -> None:
    """What is not given keeps its default."""
    server = EmbeddedPostgres(folder, settings={"shared_buffers": "48MB"})
    server.start()
    try:
        server.create_database("orders")
        assert await fetch(server, "SELECT current_setting('shared_buffers')") == "48MB"
        assert await fetch(server, "SELECT current_setting('max_connections')") == "200"
    finally:
        server.stop()


async def test_a_server_left_behind_by_a_killed_starter_is_replaced(folder: Path) -> None:
    """The data folder has one master; a second start takes it over."""
    killed = EmbeddedPostgres(folder)
    killed.start()
    killed.create_database("orders")
    left_behind = killed._process
    assert left_behind is not None
    after = EmbeddedPostgres(folder)
    after.start()
    try:
        assert left_behind.wait(10) == 0
        assert await fetch(after, "SELECT 1") == 1
    finally:
        after.stop()


async def test_nobody_gets_in_without_the_password(folder: Path) -> None:
    """Other accounts on the machine can reach the port, not the data."""
    server = EmbeddedPostgres(folder)
    server.start()
    try:
        url = server.url("postgres").replace(server.password, "wrong")
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(url)
    finally:
        server.stop()


async def test_letters_beyond_ascii_are_letters(folder: Path) -> None:
    """Search ignores case for Müller too."""
    server = EmbeddedPostgres(folder)
    server.start()
    try:
        server.create_database("orders")
        assert await fetch(server, "SELECT lower('MÜLLER')") == "müller"
    finally:
        server.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")
async def test_root_below_a_closed_home_has_its_data_where_the_server_can_reach_them(
    folder: Path, tmp_path: Path
) -> None:
    """A checkout in /root: neither the wheel nor the data can be where they were wanted."""
    closed = tmp_path / "home"
    closed.mkdir(mode=0o700)
    elsewhere = folder.parent / "elsewhere"
    for attempt in range(2):
        server = EmbeddedPostgres(closed / "postgres", elsewhere=elsewhere)
        server.start()
        try:
            server.create_database("orders")
            if attempt == 0:
                await fetch(server, "CREATE TABLE t AS SELECT 1 AS x")
            assert await fetch(server, "SELECT x FROM t") == 1
        finally:
            server.stop()
    assert (closed / "postgres").resolve().is_relative_to(elsewhere)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")
async def test_who_removes_the_folder_begins_anew(folder: Path, tmp_path: Path) -> None:
    """The keys that go with the data were removed with it."""
    closed = tmp_path / "home"
    closed.mkdir(mode=0o700)
    elsewhere = folder.parent / "elsewhere"
    for _ in range(2):
        server = EmbeddedPostgres(closed / "postgres", elsewhere=elsewhere)
        server.start()
        try:
            server.create_database("orders")
            assert await fetch(server, "SELECT to_regclass('t')") is None
            await fetch(server, "CREATE TABLE t AS SELECT 1 AS x")
        finally:
            server.stop()
        (closed / "postgres").unlink()
