"""Somebody who watches an org's status changes, and comes back where the stream broke off."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress

import aiohttp

from countersign_chaos.journal import Journal

_AGAIN_SECONDS = 0.5
# A little more than the heartbeats: a silent stream is a dead one.
_SILENCE_SECONDS = 30.0


class Feed:
    """Writes every change that it is told, once per telling."""

    def __init__(self, org: str, next_url: Callable[[], str], token: str, journal: Journal) -> None:
        """`next_url` names a gateway for the next connection."""
        self._org = org
        self._next_url = next_url
        self._headers = {"Authorization": f"Bearer {token}"}
        self._journal = journal
        self._cursor = ""

    async def run(self) -> None:
        """Until cancelled."""
        timeout = aiohttp.ClientTimeout(total=None, sock_read=_SILENCE_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                with suppress(aiohttp.ClientError, TimeoutError, OSError):
                    await self._listen(session)
                await asyncio.sleep(_AGAIN_SECONDS)

    async def _listen(self, session: aiohttp.ClientSession) -> None:
        resume = {"Last-Event-ID": self._cursor} if self._cursor else {}
        url = f"{self._next_url()}/draft-orders/events"
        async with session.get(url, headers=self._headers | resume) as answer:
            answer.raise_for_status()
            cursor = ""
            async for line in answer.content:
                text = line.decode().strip()
                if text.startswith("id:"):
                    cursor = text[3:].strip()
                elif text.startswith("data:"):
                    self._journal.write({"org": self._org} | json.loads(text[5:]))
                    self._cursor = cursor
