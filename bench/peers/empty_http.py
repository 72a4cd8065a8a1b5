"""`python -m bench.peers.empty_http PORT`: the least that can answer HTTP in this language.

What the load itself can do: it answers a push that nobody made, without reading it.
"""

import asyncio
import sys
from typing import cast

import uvloop

_BODY = b'{"erp_export_id":"7f7b0a5e-8f0e-4a53-9d43-0b1a8a1f6d11","status":"PUSHING"}'
_ANSWER = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
    + f"content-length: {len(_BODY)}\r\n\r\n".encode()
    + _BODY
)


class Answer(asyncio.Protocol):
    """One connection, whose requests come in one piece each."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._transport.write(_ANSWER)


async def serve(port: int) -> None:
    """Until the process is stopped."""
    server = await asyncio.get_running_loop().create_server(Answer, "127.0.0.1", port, backlog=2048)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
