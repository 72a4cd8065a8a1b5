"""Whom a test's SFTP server lets in: a throw-away system user, or whoever runs the tests."""

import os
import pwd
import secrets
import shutil
import subprocess
import time
from types import TracebackType
from typing import Self

from countersign_platform.testing.server_process import ServerMissingError

# useradd and userdel give up at once when another test run holds the lock of /etc/passwd.
_LOCK_SECONDS = 20.0
_SHELL = "/bin/false"
# Reads until end of file, which is when the test run is gone; then removes the user.
_WATCH = 'cat >/dev/null; userdel -- "$0" 2>/dev/null'


class SftpAccount:
    """A user with a password, made for the run and removed at its end.

    Without root's rights it is the current user, who can log in with a key only: `password`
    is then None.
    """

    def __init__(self) -> None:
        self._watcher: subprocess.Popen[bytes] | None = None
        self.password: str | None = None
        if os.geteuid() == 0 and shutil.which("useradd") and shutil.which("chpasswd"):
            self.name = f"cs-test-{secrets.token_hex(4)}"
            self.password = secrets.token_urlsafe(12)
            self._create()
        else:
            self.name = pwd.getpwuid(os.geteuid()).pw_name

    @property
    def uid(self) -> int:
        """User id."""
        return pwd.getpwnam(self.name).pw_uid

    @property
    def gid(self) -> int:
        """Id of its first group."""
        return pwd.getpwnam(self.name).pw_gid

    def close(self) -> None:
        """Remove the user, if it was made here."""
        if self._watcher is None:
            return
        _locked(["userdel", self.name])
        self._watcher.kill()
        self._watcher.wait()
        if self._watcher.stdin is not None:
            self._watcher.stdin.close()
        self._watcher = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _create(self) -> None:
        options = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
        _locked(["useradd", *options, "--shell", _SHELL, self.name])
        self._watcher = subprocess.Popen(  # noqa: S603 — our own command line
            ["/bin/sh", "-c", _WATCH, self.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        _locked(["chpasswd"], f"{self.name}:{self.password}\n")


def _locked(command: list[str], text: str = "") -> None:
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        done = subprocess.run(  # noqa: S603 — our own command line
            command, input=text, text=True, capture_output=True, check=False
        )
        if done.returncode == 0:
            return
        if time.monotonic() > deadline:
            raise ServerMissingError(command[0], f"failed: {done.stderr.strip()}")
        time.sleep(0.1)
