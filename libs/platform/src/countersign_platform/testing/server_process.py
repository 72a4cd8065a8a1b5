"""One private server process: its folder, its log, its start and its end by pid."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from countersign_platform.accounts import as_account
from countersign_platform.testing.leash import Leash

_POLL_SECONDS = 0.02
_LOG_TAIL_BYTES = 2000


class ServerMissingError(RuntimeError):
    """The server's program is not installed."""

    def __init__(self, program: str, why: str = "is not installed") -> None:
        super().__init__(f"{program} {why}; `make test` installs the servers that tests need")


class ServerStartError(RuntimeError):
    """The server did not become ready; carries the end of its log."""


class ServerProcess:
    """Base of the servers: a private folder under the temporary directory and one process.

    Subclasses implement `start`. `stop` may be followed by `start` on the same data; `close`
    also removes the folder.
    """

    # What ends the server when the test run is gone, as `kill -s` names it.
    # A run that a shell put into the background hands a deaf ear to SIGQUIT and SIGINT down.
    _leash_signal = "KILL"

    def __init__(self, name: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"countersign-{name}-"))
        self._name = name
        self._process: subprocess.Popen[bytes] | None = None
        self._leash: Leash | None = None

    @property
    def log(self) -> Path:
        """Standard output and error of the process."""
        return self.folder / "server.log"

    @property
    def pid(self) -> int:
        """Process id of the running server."""
        if self._process is None:
            raise RuntimeError(f"{self._name} is not running")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the server and return when it answers."""
        raise NotImplementedError

    def stop(self) -> None:
        """End the server in good order; keeps its data."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the server at once, as a crash would; keeps its data."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop and start on the same data and the same port."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop and remove everything."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _launch(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        account: pwd.struct_passwd | None = None,
    ) -> None:
        if self.running:
            raise RuntimeError(f"{self._name} is running already")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 — our own command line
                command,
                cwd=self.folder,
                env=None if environment is None else {**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **as_account(account),
            )
        self._leash = Leash(self._process.pid, self._leash_signal)

    def _wait_ready(self, ready: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.running or time.monotonic() > deadline:
                state = "is not ready in time" if self.running else "ended while starting"
                message = f"{self._name} {state}:\n{self._log_tail()}"
                self.kill()
                raise ServerStartError(message)
            time.sleep(_POLL_SECONDS)

    def _log_tail(self) -> str:
        return self.log.read_bytes()[-_LOG_TAIL_BYTES:].decode(errors="replace")

    def _end(self, how: signal.Signals, patience_seconds: float = 30.0) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(how)
            try:
                self._process.wait(patience_seconds)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None
        if self._leash is not None:
            self._leash.release()
            self._leash = None
