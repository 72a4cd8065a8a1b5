"""Status changes of an org as server-sent events.

The stream ends when the caller leaves, when the gateway drains, when the token expires and
after an hour; the caller comes back with the id of the last event it saw.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc.aio
import structlog
from pydantic_core import to_json

from countersign.approval.v1 import approval_service_pb2 as approvals
from countersign_core.errors import CountersignError
from countersign_core.reasons import Reason
from countersign_gateway.replies.drafts import STATUSES
from countersign_gateway.replies.values import moment
from countersign_platform.rpc.status import error_from_rpc
from countersign_platform.rpc.streams import until_set

LONGEST_SECONDS = 3600.0
# How long the service may take to refuse before the stream is taken for accepted.
REFUSAL_SECONDS = 0.5
_RETRY_MILLISECONDS = 2000

_HEARTBEAT = b": heartbeat\n\n"
_OPENING = b"retry: %d\n\n" % _RETRY_MILLISECONDS

StillValid = Callable[[], Awaitable[Any]]
Watch = grpc.aio.UnaryStreamCall[Any, approvals.WatchDraftsResponse]

_log = structlog.get_logger(__name__)


class EventStream:
    """The frames of one stream; `opened` first, then iterate over `frames`."""

    def __init__(self, watch: Watch, drain: asyncio.Event, still_valid: StillValid) -> None:
        """`still_valid` raises CountersignError once the caller's token has expired."""
        self._watch = watch
        self._drain = drain
        self._still_valid = still_valid
        self._first = asyncio.ensure_future(watch.read())

    async def opened(self) -> None:
        """Waits until the service has refused the call, or had the time to.

        Raises:
            CountersignError: it refused.
        """
        await asyncio.wait({self._first}, timeout=REFUSAL_SECONDS)
        if self._first.done() and (error := self._first.exception()) is not None:
            raise _as_refusal(error) from error

    async def frames(self) -> AsyncIterator[bytes]:
        """Events and heartbeats as bytes; ends without an error."""
        yield _OPENING
        try:
            async for change in until_set(self._drain, self._changes()):
                await self._still_valid()
                yield frame(change)
        except CountersignError as error:
            _log.info("event_stream_ended", reason=error.reason.value)
        finally:
            self.close()

    def close(self) -> None:
        """Gives the call up."""
        self._first.cancel()
        self._watch.cancel()

    async def _changes(self) -> AsyncIterator[approvals.WatchDraftsResponse]:
        try:
            change = await self._first
            while isinstance(change, approvals.WatchDraftsResponse):  # else EOF
                yield change
                change = await self._watch.read()
        except grpc.aio.AioRpcError as error:
            raise error_from_rpc(error) from error


def frame(change: approvals.WatchDraftsResponse) -> bytes:
    """One event; a heartbeat is a comment."""
    if not change.draft_order_id:
        return _HEARTBEAT
    data = {
        "draft_order_id": change.draft_order_id,
        "from_status": STATUSES.get(change.from_status),
        "to_status": STATUSES[change.to_status],
        "version": change.version,
        "changed_at": moment(change.changed_at),
    }
    return b"id: %b\nevent: draft-status\ndata: %b\n\n" % (change.cursor.encode(), to_json(data))


def _as_refusal(error: BaseException) -> CountersignError:
    if isinstance(error, grpc.aio.AioRpcError):
        return error_from_rpc(error)
    return CountersignError(Reason.INTERNAL, type(error).__name__)
