"""A private Redis without persistence."""

import shutil
import socket

from countersign_platform.testing.ports import HOST, answers, free_ports
from countersign_platform.testing.server_process import ServerMissingError, ServerProcess


class RedisServer(ServerProcess):
    """Redis on a free port; what it holds is gone when it stops."""

    def __init__(self) -> None:
        program = shutil.which("redis-server")
        if program is None:
            raise ServerMissingError("redis-server")
        super().__init__("redis")
        self._program = program
        self.port = free_ports(1)[0]

    @property
    def url(self) -> str:
        """URL of database 0."""
        return f"redis://{HOST}:{self.port}/0"

    def start(self) -> None:
        """Start, empty."""
        command = [self._program, "--bind", HOST, "--port", str(self.port), "--save", ""]
        command += ["--appendonly", "no", "--dir", str(self.folder)]
        self._launch(command)
        self._wait_ready(lambda: answers(self.port), 30.0)

    def flush(self) -> None:
        """Forget everything."""
        with socket.create_connection((HOST, self.port), timeout=5) as connection:
            connection.sendall(b"FLUSHALL\r\n")
            answer = connection.recv(64)
        if answer != b"+OK\r\n":
            raise RuntimeError(f"Redis would not flush: {answer!r}")
