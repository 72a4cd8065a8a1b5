"""An export of the audit trail on its way to the caller.

It is written as it arrives, as fast as the caller reads, and never held. If it breaks, the
connection is cut without the last chunk, so that no client takes it for complete.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio

from countersign.audit.v1 import audit_service_pb2 as audit
from countersign_core.errors import Unavailable
from countersign_gateway.audit_formats import EventWriter
from countersign_platform.rpc.status import error_from_rpc
from countersign_platform.rpc.streams import until_set

LONGEST_SECONDS = 3600.0

Export = grpc.aio.UnaryStreamCall[Any, audit.ExportEventsResponse]


class AuditDownload:
    """The bytes of one export; `opened` first, then iterate over `chunks`."""

    def __init__(
        self, export: Export, writer: EventWriter, facts: dict[str, Any], drain: asyncio.Event
    ) -> None:
        """`facts` are what the caller asked for; they stand in the end record."""
        self._export = export
        self._writer = writer
        self._facts = facts
        self._drain = drain
        self._first: audit.ExportEventsResponse | None = None

    async def opened(self) -> int:
        """Waits for the first piece; the seq that the export goes up to.

        Raises:
            CountersignError: the service refused.
        """
        self._first = await self._read()
        if self._first is None:
            raise Unavailable("The audit service ended the export before it began")
        return self._first.up_to_seq

    async def chunks(self) -> AsyncIterator[bytes]:
        """The file, piece by piece.

        Raises:
            CountersignError: it broke; what was sent is not all of it.
        """
        if not self._facts["after_seq"]:
            yield self._writer.head()
        async for piece in until_set(self._drain, self._pieces()):
            yield b"".join(map(self._writer.event, piece.events))
            if piece.HasField("end"):
                yield self._writer.end(self._facts | _facts_of(piece))
                return
        raise Unavailable("The export ended without its end")

    def close(self) -> None:
        """Gives the call up."""
        self._export.cancel()

    async def _pieces(self) -> AsyncIterator[audit.ExportEventsResponse]:
        piece = self._first
        while piece is not None:
            yield piece
            piece = await self._read()

    async def _read(self) -> audit.ExportEventsResponse | None:
        """The next piece; None after the last."""
        try:
            piece = await self._export.read()
        except grpc.aio.AioRpcError as error:
            raise error_from_rpc(error) from error
        return piece if isinstance(piece, audit.ExportEventsResponse) else None


def _facts_of(piece: audit.ExportEventsResponse) -> dict[str, Any]:
    end = piece.end
    return {
        "up_to_seq": piece.up_to_seq,
        "count": end.count,
        "last_seq": end.last_seq,
        "last_hash": end.last_hash,
        "head_seq": end.head_seq,
        "head_hash": end.head_hash,
    }
