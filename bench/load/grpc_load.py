"""`python -m bench.load.grpc_load`: calls of one method, in a process of its own.

Reads one JSON object from standard input, waits for nothing, and prints one with what it saw.

    target       "host:port"
    path         "/package.Service/Method"
    metadata     [[name, value], …]
    payloads     file of serialized messages, each after its length (4 bytes, big endian)
    connections  TCP connections
    concurrency  calls under way on each
    seconds      how long at the most
"""

import asyncio
import json
import resource
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvloop

from bench.load.h2_client import H2Connection, head_block


def write_payloads(path: Path, messages: Iterator[bytes]) -> int:
    """Writes messages as `payloads` wants them; how many."""
    count = 0
    with path.open("wb") as file:
        for message in messages:
            file.write(struct.pack(">I", len(message)) + message)
            count += 1
    return count


def read_payloads(path: Path) -> Iterator[bytes]:
    """The messages of a file, all read before the first is given."""
    data = path.read_bytes()
    at, messages = 0, []
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        messages.append(data[at + 4 : at + 4 + length])
        at += 4 + length
    return iter(messages)


async def run(order: dict[str, Any]) -> dict[str, Any]:
    """Sends the load; what came of it."""
    host, _, port = order["target"].rpartition(":")
    head = head_block(order["target"], order["path"], [tuple(pair) for pair in order["metadata"]])
    payloads = read_payloads(Path(order["payloads"]))
    loop = asyncio.get_running_loop()
    begun = time.perf_counter()
    deadline = begun + order["seconds"]

    def connection() -> H2Connection:
        return H2Connection(
            lambda: head, payloads, concurrency=order["concurrency"], deadline=deadline
        )

    made = [
        await loop.create_connection(connection, host, int(port))
        for _ in range(order["connections"])
    ]
    await asyncio.gather(*(protocol.done for _, protocol in made))
    seconds = time.perf_counter() - begun
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "latencies_ms": [each for _, protocol in made for each in protocol.latencies_ms],
        "errors": sum(protocol.errors for _, protocol in made),
        "seconds": seconds,
        "client_cpu_seconds": used.ru_utime + used.ru_stime,
    }


def main() -> None:
    """Entry point."""
    order = json.load(sys.stdin)
    json.dump(uvloop.run(run(order)), sys.stdout)


if __name__ == "__main__":
    main()
