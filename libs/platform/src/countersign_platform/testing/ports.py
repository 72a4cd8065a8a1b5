"""Free TCP ports on the loopback address."""

import socket
import time

HOST = "127.0.0.1"


def free_ports(count: int) -> list[int]:
    """`count` different ports that nothing listens on right now."""
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(count)]
    try:
        for each in sockets:
            each.bind((HOST, 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


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
