"""Who is at the other end, when proxies stand between."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from countersign_gateway.settings import Network

Address = IPv4Address | IPv6Address


def client_address(peer: str, forwarded_for: Sequence[str], trusted: Sequence[Network]) -> str:
    """The caller's address: the last one in X-Forwarded-For that no trusted proxy vouches against.

    `peer` is the socket's other end and `forwarded_for` the header's values in order. Walks
    from the right for as long as the hop is a trusted proxy; what an untrusted hop claims is
    not believed. Empty when the peer has no address (a Unix socket).
    """
    hop = _parse(peer)
    if hop is None:
        return ""
    claims = [part for value in forwarded_for for part in value.split(",")]
    while claims and _is_trusted(hop, trusted):
        claimed = _parse(claims.pop())
        if claimed is None:
            break
        hop = claimed
    return str(hop)


def _is_trusted(address: Address, trusted: Sequence[Network]) -> bool:
    return any(address.version == network.version and address in network for network in trusted)


@lru_cache(maxsize=4096)
def _parse(text: str) -> Address | None:
    """An address as proxies write it: bare, `[v6]`, `v4:port` or `[v6]:port`."""
    bare = text.strip()
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        address = ip_address(bare)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
