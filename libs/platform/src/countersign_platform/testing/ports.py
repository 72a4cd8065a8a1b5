"""TCP ports on the loopback address, for servers that tests start, stop and start again."""

import random
import socket
import time
from pathlib import Path

HOST = "127.0.0.1"
_LOWEST = 10_000
_KERNEL_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_chance = random.SystemRandom()  # not the one that a test may have seeded


def free_ports(count: int) -> list[int]:
    """`count` different ports that nothing listens on, this process's for as long as it lives.

    They lie below those that the kernel gives to outgoing connections: such a connection would
    sooner or later take the port of a server that is down for a moment.
    """
    first_of_the_kernel = int(_KERNEL_RANGE.read_text().split()[0])
    ports: list[int] = []
    while len(ports) < count:
        port = _chance.randrange(_LOWEST, first_of_the_kernel)
        if _hold(port) and _is_free(port):
            ports.append(port)
    return ports


def _hold(port: int) -> bool:
    """Whether no process that asks here has it: by a name in the kernel, no file is left.

    The kernel lets go of the name when this process ends.
    """
    holder = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        holder.bind(f"\0countersign-test-port-{port}")
    except OSError:
        holder.close()
        return False
    holder.detach()  # stays open, and is nobody's to close
    return True


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def wait_silent(port: int, seconds: float = 30.0) -> None:
    """Return once nothing listens on `port` any more.

    Raises:
        TimeoutError: something still does.
    """
    deadline = time.monotonic() + seconds
    while answers(port):
        if time.monotonic() > deadline:
            raise TimeoutError(f"port {port} still answers")
        time.sleep(0.02)


def answers(port: int) -> bool:
    """Whether something accepts connections on `port`."""
    try:
        with socket.create_connection((HOST, port), timeout=1):
            return True
    except OSError:
        return False
