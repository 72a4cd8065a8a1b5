"""Downloads an export of the audit trail; a connection that breaks is taken up where it broke."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from countersign_cli.client import ApiError, refusal_of, unreachable
from countersign_cli.download_records import RECORDS
from countersign_cli.part_file import PartFile

_SAVE_SECONDS = 2.0
_UP_TO_SEQ = "X-Audit-Up-To-Seq"
# Tries without a single new event in between.
_TRIES = 5
_COME_AGAIN = frozenset({429, 502, 503, 504})

OnProgress = Callable[[int, int], None]


class AuditDownload:
    """One export into one file."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        wanted: dict[str, Any],
        on_progress: OnProgress,
        first_pause_seconds: float = 0.5,
    ) -> None:
        """`wanted` are the query's parameters, `format` among them.

        `on_progress` is told the last seq that was written, and the one to reach.
        """
        self._client = client
        self._wanted = wanted
        self._on_progress = on_progress
        self._first_pause = first_pause_seconds

    async def into(self, target: Path) -> PartFile:
        """Downloads everything and gives the file its name.

        Raises:
            ApiError: refused, or not reachable for too long; what came so far is kept.
            OtherDownloadError: a part of another export lies there.
        """
        part = PartFile(target, self._wanted, RECORDS[self._wanted["format"]])
        with part:
            await self._until_whole(part)
        part.finish()
        return part

    async def _until_whole(self, part: PartFile) -> None:
        failures = 0
        while not part.whole:
            before = part.last_seq
            error = await self._stream(part)
            part.conclude(broken=error is not None)
            part.save()
            if part.whole:
                return
            failures = 0 if part.last_seq > before else failures + 1
            if failures >= _TRIES:
                raise error or ApiError(502, {"detail": "The export came without its end record"})
            await asyncio.sleep(self._first_pause * 2**failures)

    async def _stream(self, part: PartFile) -> ApiError | None:
        """One request; what broke it, if it may go better another time."""
        try:
            await self._receive(part)
        except httpx.TransportError as broken:
            return unreachable(self._client, broken)
        except ApiError as refused:
            if refused.status not in _COME_AGAIN:
                raise
            return refused
        return None

    async def _receive(self, part: PartFile) -> None:
        saved = time.monotonic()
        part.begin()
        params = self._wanted | ({"after_seq": part.last_seq} if part.last_seq else {})
        if part.up_to_seq:
            params["up_to_seq"] = part.up_to_seq
        async with self._client.stream("GET", "/audit-log/export", params=params) as answer:
            if not answer.is_success:
                await answer.aread()
                raise refusal_of(answer)
            part.up_to_seq = int(answer.headers[_UP_TO_SEQ])
            async for chunk in answer.aiter_bytes():
                part.add(chunk)
                self._on_progress(part.last_seq, part.up_to_seq)
                if time.monotonic() - saved > _SAVE_SECONDS:
                    part.save()
                    saved = time.monotonic()
