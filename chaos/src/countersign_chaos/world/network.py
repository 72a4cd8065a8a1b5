"""A proxy of ours between every two that talk to each other."""

from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from countersign_platform.testing.ports import HOST
from countersign_platform.testing.tcp_proxy import TcpProxy


@dataclass(frozen=True, slots=True, order=True)
class Link:
    """One way through the network: from a process (or `client`, `worker`) to a server."""

    source: str
    target: str

    def __str__(self) -> str:
        return f"{self.source}>{self.target}"


class Network:
    """Every link of the stack, each with a proxy that can be cut, slowed or silenced."""

    def __init__(self) -> None:
        self._proxies: dict[Link, TcpProxy] = {}
        self._opened = AsyncExitStack()

    async def connect(self, source: str, target: str, port: int) -> None:
        """Put a proxy between `source` and `port`, where `target` listens."""
        proxy = await self._opened.enter_async_context(TcpProxy(port))
        self._proxies[Link(source, target)] = proxy

    async def close(self) -> None:
        """End every connection and every proxy."""
        await self._opened.aclose()

    @property
    def links(self) -> list[Link]:
        """All of them, in a fixed order."""
        return sorted(self._proxies)

    def proxy(self, link: Link) -> TcpProxy:
        """The proxy of one link."""
        return self._proxies[link]

    def address(self, source: str, target: str) -> str:
        """host:port at which `source` reaches `target`."""
        return f"{HOST}:{self.port(source, target)}"

    def port(self, source: str, target: str) -> int:
        """Port at which `source` reaches `target`."""
        return self._proxies[Link(source, target)].port

    def grpc_target(self, source: str, targets: Iterable[str]) -> str:
        """Every one of `targets`, as one gRPC target."""
        return "ipv4:" + ",".join(self.address(source, target) for target in targets)
