"""The servers that tests start: private, whole after a restart, gone afterwards."""

import os
import subprocess
import sys
import time
from pathlib import Path

import asyncpg
import pytest

from countersign_platform import postgres_wheel
from countersign_platform.accounts import others_reach
from countersign_platform.testing import ports, rabbit_server
from countersign_platform.testing.ports import answers, free_ports, wait_silent
from countersign_platform.testing.servers import (
    PostgresServer,
    RabbitServer,
    RedisServer,
    ServerMissingError,
    ServerStartError,
    StopMode,
)

pytestmark = pytest.mark.integration

START_AND_HANG = """
import sys, time
from countersign_platform.testing import servers
server = getattr(servers, sys.argv[1])()
server.start()
print(server.pid, server.port, server.folder, flush=True)
time.sleep(600)
"""


async def ask(url: str, sql: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


def gone(pid: int, seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if Path(f"/proc/{pid}/stat").exists() and " Z " in Path(f"/proc/{pid}/stat").read_text():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("version", [16, 18])
async def test_postgres_answers_over_tcp_and_over_its_socket_and_leaves_nothing(
    version: int,
) -> None:
    with PostgresServer(version, fsync=False) as server:
        pid, folder = server.pid, server.folder
        assert str(await ask(server.url, "SHOW server_version")).startswith(f"{version}.")
        over_socket = server.socket_url_for("postgres")
        assert await ask(over_socket, "SELECT inet_server_addr() IS NULL")
        assert await ask(server.url, "SELECT lower('ÄÖ')") == "äö"
    assert gone(pid)
    assert not folder.exists()


@pytest.mark.parametrize("mode", StopMode)
async def test_committed_rows_survive_a_restart_on_the_same_url(mode: StopMode) -> None:
    with PostgresServer() as server:
        assert await ask(server.url, "SHOW fsync") == "on"
        await ask(server.url, "CREATE TABLE kept AS SELECT 42 AS n")
        server.restart(mode)
        assert await ask(server.url, "SELECT n FROM kept") == 42


async def test_settings_reach_the_server() -> None:
    with PostgresServer(fsync=False, settings={"max_connections": "17"}) as server:
        assert await ask(server.url, "SHOW max_connections") == "17"


def test_a_server_that_cannot_start_says_what_its_log_says() -> None:
    server = PostgresServer(fsync=False, settings={"no_such_setting": "1"})
    try:
        with pytest.raises(ServerStartError, match="no_such_setting"):
            server.start()
        assert not server.running
    finally:
        server.close()


@pytest.mark.parametrize("kind", [PostgresServer, RabbitServer, RedisServer])
def test_a_test_run_that_is_killed_leaves_no_server_behind(kind: type) -> None:
    run = subprocess.Popen(
        [sys.executable, "-c", START_AND_HANG, kind.__name__], stdout=subprocess.PIPE, text=True
    )
    assert run.stdout is not None
    pid, port, folder = run.stdout.readline().split()
    try:
        assert answers(int(port))
        run.kill()
        run.wait()
        assert gone(int(pid))
        wait_silent(int(port))
    finally:
        run.stdout.close()
        subprocess.run(["rm", "-rf", folder], check=True)


def test_rabbit_is_private_and_forgets_only_when_wiped() -> None:
    with RabbitServer() as server:
        shell, mapper, folder = server.pid, server._epmd.pid, server.folder
        assert answers(server.port)
        assert (folder / ".erlang.cookie").stat().st_mode & 0o777 == 0o400
        with pytest.raises(RuntimeError, match="stop RabbitMQ"):
            server.wipe()
        assert (folder / "mnesia").exists()
        server.stop()
        assert gone(mapper)
        server.wipe()
        assert not (folder / "mnesia").exists()
    assert gone(shell)
    assert not folder.exists()


def test_redis_forgets_on_stop_and_on_flush() -> None:
    with RedisServer() as server:
        assert server.url == f"redis://127.0.0.1:{server.port}/0"
        server.flush()
        server.restart()
        server.flush()
        pid = server.pid
    assert gone(pid)


@pytest.mark.parametrize("kind", [RabbitServer, RedisServer])
def test_a_missing_program_says_which_and_what_installs_it(
    kind: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(rabbit_server, "_PROGRAMS", ())
    with pytest.raises(ServerMissingError, match=r"-server is not installed; `make test`"):
        kind()


def test_a_missing_wheel_says_so_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_wheel, "_PACKAGE", "no_such_wheel")
    with pytest.raises(ServerMissingError, match=r"PostgreSQL 16 .* `make test`"):
        PostgresServer()


def test_free_ports_are_different_and_free() -> None:
    found = free_ports(20)
    assert len(set(found)) == 20
    assert not any(answers(port) for port in found)


def test_a_port_is_given_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """By whichever process: the server that it is for may not run yet, or be down for a moment."""
    [mine] = free_ports(1)
    offered = iter([mine, mine, mine + 1 if mine < 32_000 else mine - 1])
    monkeypatch.setattr(ports._chance, "randrange", lambda *_: next(offered))
    assert mine not in free_ports(1)


def test_no_outgoing_connection_takes_a_port() -> None:
    """The kernel gives those out from a range of its own."""
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert all(port < first for port in free_ports(50))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")
async def test_root_runs_postgres_from_a_wheel_that_only_root_can_reach(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(postgres_wheel, "others_reach", lambda _: False)
    with PostgresServer(fsync=False) as server:
        assert Path(f"/proc/{server.pid}/exe").resolve().is_relative_to(server.folder)
        assert await ask(server.url, "SELECT 1") == 1
        owner = Path(f"/proc/{server.pid}").stat().st_uid
    assert owner != 0


def test_a_program_below_a_folder_of_root_alone_is_out_of_reach(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir()
    program = folder / "program"
    program.touch(mode=0o755)
    folder.chmod(0o700)
    assert not others_reach(program)
    assert others_reach(Path("/bin/sh"))
