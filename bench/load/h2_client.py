"""A gRPC load generator that costs a fraction of what it measures.

grpc's own client takes about as much CPU per call as its server, so on a small machine it
would measure itself. This one writes the frames of HTTP/2 by hand: the head block of a call is
encoded once, a request is two frames in one write, and of a reply only the frame headers are
looked at. A call succeeded when its reply carried a message; a refusal comes without one.
"""

import asyncio
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from typing import cast

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RST, _SETTINGS, _PING, _GOAWAY, _WINDOW = 0, 1, 3, 4, 6, 7, 8
_END_STREAM, _END_HEADERS, _ACK = 0x1, 0x4, 0x1
_HEADER_TABLE_SIZE, _INITIAL_WINDOW = 1, 4
_LARGE_WINDOW = 2**31 - 1


def head_block(authority: str, path: str, metadata: Sequence[tuple[str, str]]) -> bytes:
    """HPACK of a call's headers, every one a literal that is not indexed."""
    fields = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", authority),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
        *metadata,
    ]
    return b"".join(b"\x00" + _text(name) + _text(value) for name, value in fields)


def _text(value: str) -> bytes:
    data = value.encode()
    length = len(data)
    if length < 0x7F:
        return bytes((length,)) + data
    length -= 0x7F
    prefix = bytearray((0x7F,))
    while length >= 0x80:
        prefix.append(length & 0x7F | 0x80)
        length >>= 7
    prefix.append(length)
    return bytes(prefix) + data


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return (
        struct.pack(">I", len(payload) << 8 | kind)[0:4]
        + struct.pack(">BI", flags, stream)
        + payload
    )


class H2Connection(asyncio.Protocol):
    """One connection with a fixed number of calls under way."""

    def __init__(
        self,
        heads: Callable[[], bytes],
        payloads: Iterator[bytes],
        *,
        concurrency: int,
        deadline: float,
    ) -> None:
        """`heads` gives each call's head block, `payloads` its message; until `deadline`
        (of time.perf_counter) or until there are no more payloads."""
        self._heads = heads
        self._payloads = payloads
        self._concurrency = concurrency
        self._deadline = deadline
        self._buffer = bytearray()
        self._next_stream = 1
        self._begun: dict[int, float] = {}
        self._answered: set[int] = set()
        self._received = 0
        self._transport: asyncio.Transport | None = None
        self.latencies_ms: list[float] = []
        self.errors = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greets the server and begins all calls at once."""
        self._transport = transport = cast("asyncio.Transport", transport)
        settings = struct.pack(">HIHI", _HEADER_TABLE_SIZE, 0, _INITIAL_WINDOW, _LARGE_WINDOW)
        grow = struct.pack(">I", _LARGE_WINDOW - 65535)
        transport.write(_PREFACE + _frame(_SETTINGS, 0, 0, settings) + _frame(_WINDOW, 0, 0, grow))
        for _ in range(self._concurrency):
            self._begin()
        self._finish_when_idle()

    def data_received(self, data: bytes) -> None:
        """Takes whole frames off the buffer."""
        buffer = self._buffer
        buffer += data
        at, end = 0, len(buffer)
        while end - at >= 9:
            length = int.from_bytes(buffer[at : at + 3], "big")
            if end - at - 9 < length:
                break
            kind, flags = buffer[at + 3], buffer[at + 4]
            stream = int.from_bytes(buffer[at + 5 : at + 9], "big")
            self._take(kind, flags, stream, bytes(buffer[at + 9 : at + 9 + length]))
            at += 9 + length
        del buffer[:at]

    def connection_lost(self, exc: Exception | None) -> None:
        """Counts what was under way as failed."""
        self.errors += len(self._begun)
        self._begun.clear()
        if not self.done.done():
            self.done.set_result(None)

    def _take(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        assert self._transport is not None
        if kind == _DATA:
            if payload:
                self._answered.add(stream)
                self._give_back_window(len(payload))
            if flags & _END_STREAM:
                self._end(stream)
        elif (kind == _HEADERS and flags & _END_STREAM) or kind == _RST:
            self._end(stream)
        elif kind == _SETTINGS and not flags & _ACK:
            self._transport.write(_frame(_SETTINGS, _ACK, 0, b""))
        elif kind == _PING and not flags & _ACK:
            self._transport.write(_frame(_PING, _ACK, 0, payload))
        elif kind == _GOAWAY:
            self._transport.close()

    def _give_back_window(self, size: int) -> None:
        self._received += size
        if self._received > 2**29:
            assert self._transport is not None
            self._transport.write(_frame(_WINDOW, 0, 0, struct.pack(">I", self._received)))
            self._received = 0

    def _begin(self) -> None:
        if time.perf_counter() >= self._deadline:
            return
        payload = next(self._payloads, None)
        if payload is None:
            return
        stream, self._next_stream = self._next_stream, self._next_stream + 2
        message = b"\x00" + struct.pack(">I", len(payload)) + payload
        assert self._transport is not None
        self._begun[stream] = time.perf_counter()
        self._transport.write(
            _frame(_HEADERS, _END_HEADERS, stream, self._heads())
            + _frame(_DATA, _END_STREAM, stream, message)
        )

    def _end(self, stream: int) -> None:
        begun = self._begun.pop(stream, None)
        if begun is None:
            return
        if stream in self._answered:
            self._answered.discard(stream)
            self.latencies_ms.append((time.perf_counter() - begun) * 1000)
        else:
            self.errors += 1
        self._begin()
        self._finish_when_idle()

    def _finish_when_idle(self) -> None:
        if not self._begun and not self.done.done():
            self.done.set_result(None)
            assert self._transport is not None
            self._transport.close()
