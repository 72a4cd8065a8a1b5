"""Addresses of the stack's processes."""

import socket
from dataclasses import dataclass

HOST = "127.0.0.1"


class PortBusyError(Exception):
    """Something else listens where the stack wants to."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Every TCP port that the stack listens on, all on 127.0.0.1."""

    gateway: int = 8080
    approval: int = 50051
    push: int = 50052
    audit: int = 50053
    approval_probe: int = 9101
    push_probe: int = 9102
    audit_probe: int = 9103
    worker_probe: int = 9104
    gateway_probe: int = 9105

    def check_free(self) -> None:
        """Raise PortBusyError, naming the first port that is taken."""
        for field in self.__slots__:
            port = getattr(self, field)
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((HOST, port))
                except OSError:
                    raise PortBusyError(f"port {port} ({field}) is taken") from None


def free_ports() -> Ports:
    """Ports that nobody listens on now, for a stack beside others."""
    sockets = [socket.socket() for _ in Ports.__slots__]
    try:
        for each in sockets:
            each.bind((HOST, 0))
        numbers = [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
    return Ports(*numbers)
