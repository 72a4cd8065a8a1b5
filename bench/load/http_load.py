"""`python -m bench.load.http_load`: HTTP/1.1 requests over kept connections, in its own process.

Reads one JSON object from standard input and prints one with what it saw.

    target       "host:port"
    payloads     file of whole requests, each after its length (4 bytes, big endian)
    kinds        the kind of each request by its place, an index into what the caller named
    connections  TCP connections; each has one request under way
    seconds      how long at the most
    interval     null: each connection sends its next request at once when it was answered.
                 Seconds: connection c sends every c-th request at its time, and a latency
                 counts from that time, also when the request before was answered too late.

It writes bytes that were put together before and looks at the status line and the length only.
"""

import asyncio
import json
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import uvloop

from bench.load.grpc_load import read_payloads

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length: "
_PAUSE_SECONDS = 1.0


class Turn:
    """The requests of one connection: (place, when to send or None, bytes)."""

    def __init__(self, turns: Iterator[tuple[int, float | None, bytes]]) -> None:
        self._turns = turns

    def next(self) -> tuple[int, float | None, bytes] | None:
        return next(self._turns, None)


class Seen:
    """What came of the requests, by their place."""

    def __init__(self, count: int) -> None:
        self.latency_ms: list[float | None] = [None] * count
        self.answered_at: list[float] = [0.0] * count
        self.statuses: dict[int, int] = {}
        self.last = 0.0

    def answer(self, place: int, began: float, status: int) -> None:
        self.last = now = time.perf_counter()
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if 200 <= status < 300:
            self.latency_ms[place] = (now - began) * 1000
            self.answered_at[place] = time.time()


class Connection(asyncio.Protocol):
    """One kept connection."""

    def __init__(self, turn: Turn, seen: Seen, deadline: float) -> None:
        self._turn = turn
        self._seen = seen
        self._deadline = deadline
        self._buffer = b""
        self._place = -1
        self._began = 0.0
        self._transport: asyncio.Transport | None = None
        self.errors = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def begin(self) -> None:
        """Sends the first request."""
        self._send_next()

    def data_received(self, data: bytes) -> None:
        self._buffer = data if not self._buffer else self._buffer + data
        end = self._buffer.find(_HEAD_END)
        if end < 0:
            return
        head = self._buffer[:end].lower() + b"\r\n"
        at = head.find(_LENGTH)
        length = int(head[at + len(_LENGTH) : head.index(b"\r", at)]) if at >= 0 else 0
        if len(self._buffer) < end + len(_HEAD_END) + length:
            return
        self._buffer = b""
        place, self._place = self._place, -1
        self._seen.answer(place, self._began, int(head[9:12]))
        self._send_next()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._place >= 0:
            self.errors += 1
        self._finish()

    def _send_next(self) -> None:
        turn = self._turn.next()
        if turn is None or time.perf_counter() >= self._deadline:
            self._finish()
            return
        place, due, request = turn
        now = time.perf_counter()
        if due is None or due <= now:
            self._send(place, due or now, request)
        else:
            loop = asyncio.get_running_loop()
            loop.call_later(due - now, self._send, place, due, request)

    def _send(self, place: int, began: float, request: bytes) -> None:
        assert self._transport is not None
        if self._transport.is_closing():
            self.errors += 1
            self._finish()
            return
        self._place, self._began = place, began
        self._transport.write(request)

    def _finish(self) -> None:
        if not self.done.done():
            self.done.set_result(None)
            assert self._transport is not None
            self._transport.close()


def turns(order: dict[str, Any], requests: list[bytes], begun: float) -> Iterator[Turn]:
    """A Turn per connection: of all requests together, or of its own at their times."""
    connections, interval = order["connections"], order["interval"]
    if interval is None:
        shared = Turn((place, None, request) for place, request in enumerate(requests))
        for _ in range(connections):
            yield shared
        return
    for number in range(connections):
        # Evenly over the interval, so that the rate is the same at every moment.
        first = begun + interval * number / connections
        yield Turn(_timed(requests, range(number, len(requests), connections), first, interval))


def _timed(
    requests: list[bytes], places: range, first: float, interval: float
) -> Iterator[tuple[int, float, bytes]]:
    for turn, place in enumerate(places):
        yield place, first + interval * turn, requests[place]


async def run(order: dict[str, Any]) -> dict[str, Any]:
    """Sends the load; what came of it."""
    host, _, port = order["target"].rpartition(":")
    requests = list(read_payloads(Path(order["payloads"])))
    loop = asyncio.get_running_loop()
    seen = Seen(len(requests))
    # Connecting is no part of it.
    begun = time.perf_counter() + (_PAUSE_SECONDS if order["interval"] else 0.0)
    deadline = begun + order["seconds"] + 60
    made: list[Connection] = []
    for turn in turns(order, requests, begun):
        connection = Connection(turn, seen, deadline)
        await loop.create_connection(lambda each=connection: each, host, int(port))
        made.append(connection)
    if order["interval"] is None:
        begun = time.perf_counter()
    for connection in made:
        connection.begin()
    await asyncio.gather(*(each.done for each in made))
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "latency_ms": seen.latency_ms,
        "answered_at": seen.answered_at,
        "statuses": seen.statuses,
        "seconds": (seen.last or time.perf_counter()) - begun,
        "lost": sum(each.errors for each in made),
        "client_cpu_seconds": used.ru_utime + used.ru_stime,
    }


def main() -> None:
    """Entry point."""
    order = json.load(sys.stdin)
    json.dump(uvloop.run(run(order)), sys.stdout)


if __name__ == "__main__":
    main()
