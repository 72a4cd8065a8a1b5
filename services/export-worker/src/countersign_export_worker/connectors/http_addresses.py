"""Which addresses an order may be posted to, decided on what is then connected to.

A name is looked up once and the very addresses that were checked are used, so that a name which
answers differently a moment later (DNS rebinding) reaches nothing inside. Every socket is asked
about once more before it connects, which also covers a url that is an address itself.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Callable
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from countersign_export_worker.errors import PermanentDeliveryError

# The one block of IPv6 that is handed out on the internet, and where IPv4 is reached through it.
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_IPV4_BITS = 0xFFFFFFFF

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
SocketFactory = Callable[[Any], socket.socket]


class AddressRefused(OSError):
    """A socket was about to connect to an address that is not allowed."""


def is_public(text: str) -> bool:
    """Whether an address is one of the open internet, whatever IPv6 clothes it wears.

    What is no address in the usual form is not.
    """
    try:
        address = _inner(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    return address.is_global and not address.is_multicast


def refusal(host: str, address: str) -> PermanentDeliveryError:
    """What an operator reads."""
    return PermanentDeliveryError(
        "ADDRESS_REFUSED",
        f"{host} is at {address}, which is not a public address;"
        " the setting allow_private_addresses allows it.",
    )


def checked_sockets(*, allow_private: bool) -> SocketFactory:
    """Makes the sockets of aiohttp's connections; raises AddressRefused."""

    def make(info: Any) -> socket.socket:
        family, kind, protocol, _, address = info
        if not allow_private and not is_public(str(address[0])):
            raise AddressRefused(str(address[0]))
        return socket.socket(family=family, type=kind, proto=protocol)

    return make


def was_refused(error: BaseException) -> AddressRefused | None:
    """The refusal behind a failed connection, if there is one."""
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    return cause if isinstance(cause, AddressRefused) else None


class CheckedResolver(AbstractResolver):
    """The system's resolver; all of a name's addresses must be public."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Every address; none of them is used when one is private.

        Raises:
            PermanentDeliveryError: ADDRESS_REFUSED.
            OSError: the name is not known.
        """
        found = await asyncio.get_running_loop().getaddrinfo(
            host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
        )
        return [self._checked(host, *entry) for entry in found]

    async def close(self) -> None:
        """Nothing is kept."""

    def _checked(
        self, host: str, family: int, _kind: int, protocol: int, _name: str, address: Any
    ) -> ResolveResult:
        text, port = str(address[0]), int(address[1])
        if not self._allow_private and not is_public(text):
            raise refusal(host, text)
        return ResolveResult(
            hostname=host,
            host=text,
            port=port,
            family=family,
            proto=protocol,
            flags=socket.AI_NUMERICHOST,
        )


def _inner(address: _Address) -> _Address:
    """The IPv4 address that an IPv6 one stands for, where it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & _IPV4_BITS)
    embedded = address.ipv4_mapped or address.sixtofour
    if embedded is None and address.teredo is not None:
        embedded = address.teredo[1]
    return embedded or address
