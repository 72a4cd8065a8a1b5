"""A private OpenSSH server that serves SFTP, as strict or as poor as a test wants it.

with SshdServer(account, refuse=("posix-rename", "fsync")) as server:
    folder = server.make_folder("orders")
    ... server.host, server.port, server.username, server.password, server.private_key
"""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterable
from pathlib import Path

from countersign_platform.testing.ports import HOST, answers, free_ports
from countersign_platform.testing.server_process import ServerMissingError, ServerProcess
from countersign_platform.testing.sftp_account import SftpAccount

_READY_SECONDS = 30.0
# From this release on, a client with wrong passwords is shut out for a while.
_PENALTIES_SINCE = (9, 8)
_CONFIGURATION = """\
ListenAddress {host}:{port}
{host_keys}
PidFile none
UsePAM no
UseDNS no
StrictModes no
LogLevel VERBOSE
LoginGraceTime 30
MaxStartups 200
AllowUsers {username}
AuthorizedKeysFile {authorized_keys}
PasswordAuthentication {passwords}
KbdInteractiveAuthentication no
Subsystem sftp internal-sftp {sftp_options}
ForceCommand internal-sftp {sftp_options}
{extra}
"""


class SshdServer(ServerProcess):
    """sshd on a free port, with host keys and a folder of its own.

    `refuse` names SFTP requests that it does not serve, as `sftp-server -P` does
    (`posix-rename`, `fsync`, `statvfs`, `write`, …); it does not offer those extensions either.
    """

    def __init__(
        self,
        account: SftpAccount,
        *,
        refuse: Iterable[str] = (),
        read_only: bool = False,
        umask: int = 0o022,
    ) -> None:
        """`umask`: of whatever a client makes."""
        self._program = _program()
        super().__init__("sshd")
        # The user, too, reads its authorized keys and reaches its files.
        self.folder.chmod(0o711)
        self.account = account
        self.port = free_ports(1)[0]
        self.home = self.make_folder("home", below=self.folder)
        self.private_key = self._make_key("client_ed25519", "ed25519")
        self._authorized_keys = self.folder / "authorized_keys"
        self._authorized_keys.touch()
        self.authorize(_public_line(self.private_key))
        self._host_keys = [self._make_key("host_ed25519_1", "ed25519")]
        self._host_keys.append(self._make_key("host_ecdsa", "ecdsa"))
        self._options = _sftp_options(refuse, read_only=read_only, umask=umask)

    @property
    def host(self) -> str:
        """Address it listens on."""
        return HOST

    @property
    def username(self) -> str:
        """Who can log in."""
        return self.account.name

    @property
    def password(self) -> str | None:
        """None when the tests lack the rights to make a user with one: log in by key."""
        return self.account.password

    @property
    def host_keys(self) -> tuple[str, ...]:
        """Public lines of the host keys it presents now: the first is ed25519."""
        return tuple(_public_line(path) for path in self._host_keys)

    def authorize(self, public_line: str) -> None:
        """Let the owner of this key in, from now on."""
        with self._authorized_keys.open("a") as file:
            file.write(f"{public_line}\n")

    def make_folder(self, name: str, *, below: Path | None = None, mode: int = 0o755) -> Path:
        """A new folder that belongs to the user; below its home unless told otherwise."""
        folder = (below or self.home) / name
        folder.mkdir()
        self.give(folder)
        folder.chmod(mode)
        return folder

    def give(self, path: Path) -> None:
        """Have the user own `path`."""
        if os.geteuid() == 0:
            os.chown(path, self.account.uid, self.account.gid, follow_symlinks=False)

    def prepare_host_key(self) -> str:
        """Make the host key that `rotate_host_key` will present; answers its public line."""
        self._next_host_key = self._make_key(f"host_ed25519_{len(list(self.folder.iterdir()))}")
        return _public_line(self._next_host_key)

    def rotate_host_key(self) -> None:
        """Restart with the prepared host key alone."""
        self._host_keys = [self._next_host_key]
        self.restart()

    def start(self) -> None:
        """Start on the keys and files there are."""
        if os.geteuid() == 0:
            # Where an unprivileged part of sshd locks itself in; packages make it at boot.
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        (self.folder / "sshd_config").write_text(self._configuration())
        self._launch([self._program, "-D", "-e", "-f", str(self.folder / "sshd_config")])
        self._wait_ready(lambda: answers(self.port), _READY_SECONDS)

    def stop(self) -> None:
        """End the server and every session."""
        sessions = self._sessions()
        super().stop()
        _kill(sessions)

    def kill(self) -> None:
        """The same at once, as a crash of the machine would."""
        sessions = self._sessions()
        super().kill()
        _kill(sessions)

    def hang_up(self) -> None:
        """End every session that is open; the server goes on."""
        _kill(self._sessions())

    def _sessions(self) -> list[int]:
        """Process ids below the listener's: sshd gives each connection sessions of their own."""
        if not self.running:
            return []
        parents = _parents()
        family = {self.pid}
        while grown := {child for child, parent in parents.items() if parent in family} - family:
            family |= grown
        return sorted(family - {self.pid})

    def _configuration(self) -> str:
        penalties = _release(self._program) >= _PENALTIES_SINCE
        return _CONFIGURATION.format(
            host=HOST,
            port=self.port,
            host_keys="\n".join(f"HostKey {path}" for path in self._host_keys),
            username=self.username,
            authorized_keys=self._authorized_keys,
            passwords="yes" if self.password else "no",
            sftp_options=self._options,
            extra="PerSourcePenalties no" if penalties else "",
        )

    def _make_key(self, name: str, kind: str = "ed25519") -> Path:
        path = self.folder / name
        _keygen("-q", "-t", kind, "-N", "", "-C", "countersign-test", "-f", str(path))
        return path


def _program() -> str:
    # sshd insists on an absolute path; /usr/sbin is not on everybody's PATH.
    found = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise ServerMissingError("sshd")
    return found


def _release(program: str) -> tuple[int, int]:
    # Older releases do not know -V, and say their version all the same.
    done = subprocess.run([program, "-V"], capture_output=True, text=True, check=False)  # noqa: S603
    match = re.search(r"OpenSSH_(\d+)\.(\d+)", done.stderr + done.stdout)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _sftp_options(refuse: Iterable[str], *, read_only: bool, umask: int) -> str:
    options = [f"-u {umask:04o}"]
    if refused := ",".join(refuse):
        options.append(f"-P {refused}")
    if read_only:
        options.append("-R")
    return " ".join(options)


def _keygen(*arguments: str) -> None:
    program = shutil.which("ssh-keygen")
    if program is None:
        raise ServerMissingError("ssh-keygen")
    subprocess.run([program, *arguments], check=True, capture_output=True)  # noqa: S603


def _public_line(private_key: Path) -> str:
    return Path(f"{private_key}.pub").read_text().strip()


def _parents() -> dict[int, int]:
    """Every process and its parent."""
    program = shutil.which("ps")
    if program is None:
        raise ServerMissingError("ps")
    listed = subprocess.run(  # noqa: S603 — our own command line
        [program, "-A", "-o", "pid=,ppid="], check=True, capture_output=True, text=True
    )
    pairs = (line.split() for line in listed.stdout.splitlines())
    return {int(pid): int(parent) for pid, parent in pairs}


def _kill(processes: Iterable[int]) -> None:
    for pid in processes:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
