"""A private RabbitMQ: its own node, cookie, port mapper, data and ports."""

import json
import os
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path

from countersign_platform.testing.leash import Leash
from countersign_platform.testing.ports import HOST, answers, free_ports, wait_silent
from countersign_platform.testing.server_process import (
    ServerMissingError,
    ServerProcess,
    ServerStartError,
)

# Debian's /usr/sbin/rabbitmq-server changes to the user rabbitmq; this one runs as whoever calls.
_PROGRAMS = ("/usr/lib/rabbitmq/bin/rabbitmq-server",)
_CONTROL = "rabbitmqctl"  # beside the server's program
_CONTROL_SECONDS = 60.0
_READY_SECONDS = 90.0
_EPMD_SECONDS = 10.0
_CONFIGURATION = """\
loopback_users.guest = false
disk_free_limit.absolute = 1MB
vm_memory_high_watermark.absolute = 1GB
log.file.level = warning
"""


class RabbitServer(ServerProcess):
    """RabbitMQ on free ports, user guest; queues survive stop and start, not `wipe`."""

    def __init__(self) -> None:
        self._program = _program()
        super().__init__("rabbit")
        self.port, self._distribution_port, self._epmd_port = free_ports(3)
        self._node = f"countersign-{secrets.token_hex(4)}@localhost"
        self._epmd: subprocess.Popen[bytes] | None = None
        self._epmd_leash: Leash | None = None
        self._write_configuration()

    @property
    def url(self) -> str:
        """AMQP URL of the default virtual host."""
        return f"amqp://guest:guest@{HOST}:{self.port}/"

    def add_virtual_host(self, name: str) -> str:
        """A virtual host of its own for whoever outlives a test; its AMQP URL.

        Raises:
            subprocess.CalledProcessError: RabbitMQ refuses it, or is not up.
        """
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        definitions = {
            "vhosts": [{"name": name}],
            "permissions": [{"user": "guest", "vhost": name, **everything}],
        }
        subprocess.run(  # noqa: S603 — our own command line
            [Path(self._program).with_name(_CONTROL), "import_definitions"],
            input=json.dumps(definitions).encode(),
            env={**os.environ, **self._environment()},
            stdout=subprocess.DEVNULL,
            timeout=_CONTROL_SECONDS,
            check=True,
        )
        return f"{self.url}{name}"

    def start(self) -> None:
        """Start on the data there is."""
        self._start_port_mapper()
        self._launch([self._program], environment=self._environment())
        self._wait_ready(lambda: answers(self.port), _READY_SECONDS)

    def stop(self) -> None:
        """Stop in good order; durable queues and persistent messages stay."""
        super().stop()
        self._stop_port_mapper()

    def kill(self) -> None:
        """Crash: the Erlang machine and its shell end at once."""
        if self._process is not None and self._process.poll() is None:
            # The process leads its own session: the shell script and the machine it runs.
            os.killpg(self._process.pid, signal.SIGKILL)
        super().kill()
        # Only the script is our child; the machine is gone when its port is.
        wait_silent(self.port)
        self._stop_port_mapper()

    def wipe(self) -> None:
        """Remove every queue and message; the server must be stopped."""
        if self.running:
            raise RuntimeError("stop RabbitMQ before wiping it")
        shutil.rmtree(self.folder / "mnesia", ignore_errors=True)

    def _write_configuration(self) -> None:
        (self.folder / "rabbitmq.conf").write_text(_CONFIGURATION)
        (self.folder / "enabled_plugins").write_text("[].\n")
        (self.folder / "environment.conf").write_text("")
        cookie = self.folder / ".erlang.cookie"
        cookie.write_text(secrets.token_hex(16))
        cookie.chmod(0o400)

    def _environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.folder),
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": HOST,
            "RABBITMQ_NODENAME": self._node,
            "RABBITMQ_NODE_IP_ADDRESS": HOST,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(self.folder / "generated"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self.folder / "advanced.config"),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "environment.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_PID_FILE": str(self.folder / "rabbit.pid"),
            # Two schedulers that do not spin: other tests want the processors too.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none",
        }

    def _start_port_mapper(self) -> None:
        # In the foreground and ours: `erl` would start one that nobody stops.
        program = shutil.which("epmd")
        if program is None:
            raise ServerMissingError("epmd")
        self._epmd = subprocess.Popen(  # noqa: S603 — our own command line
            [program, "-port", str(self._epmd_port), "-address", HOST],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._epmd_leash = Leash(self._epmd.pid)
        deadline = time.monotonic() + _EPMD_SECONDS
        while not answers(self._epmd_port):
            if time.monotonic() > deadline:
                raise ServerStartError("epmd is not ready in time")
            time.sleep(0.02)

    def _stop_port_mapper(self) -> None:
        if self._epmd is not None:
            self._epmd.terminate()
            self._epmd.wait()
            self._epmd = None
        if self._epmd_leash is not None:
            self._epmd_leash.release()
            self._epmd_leash = None


def _program() -> str:
    found = next((path for path in _PROGRAMS if Path(path).exists()), None)
    # Elsewhere than on Debian the program of that name is the script itself.
    found = found or shutil.which("rabbitmq-server")
    if found is None:
        raise ServerMissingError("rabbitmq-server")
    return found
