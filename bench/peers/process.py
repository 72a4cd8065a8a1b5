"""Starts a peer that is one small server."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from countersign_platform.testing.ports import free_ports


@asynccontextmanager
async def peer_process(name: str) -> AsyncIterator[tuple[int, int]]:
    """`bench.peers.<name>`, ready: its process id and port."""
    (port,) = free_ports(1)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"bench.peers.{name}", str(port), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    await process.stdout.readline()
    try:
        yield process.pid, port
    finally:
        process.terminate()
        await process.wait()
