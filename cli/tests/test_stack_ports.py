"""Ports of the one-machine stack."""

import socket

import pytest

from countersign_cli.stack.ports import HOST, PortBusyError, Ports, free_ports


def test_a_taken_port_is_named() -> None:
    """The operator learns which one, before anything was started."""
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortBusyError, match=rf"port {port} \(gateway\) is taken"):
            Ports(gateway=port).check_free()


def test_free_ports_differ_from_each_other() -> None:
    """A stack beside others takes no port twice."""
    ports = free_ports()
    numbers = [getattr(ports, field) for field in Ports.__slots__]
    assert len(set(numbers)) == len(numbers)
    ports.check_free()
