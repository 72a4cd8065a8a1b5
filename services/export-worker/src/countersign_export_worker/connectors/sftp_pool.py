"""The connections to one SFTP server: few, kept open, used by one operation each."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncssh

from countersign_export_worker.connectors.sftp_errors import LOST
from countersign_export_worker.connectors.sftp_login import SftpLogin
from countersign_export_worker.connectors.sftp_session import SftpSession
from countersign_export_worker.errors import DeliveryError, TokenGone

# What says nothing against the connection: the server answered.
_ANSWERS = (asyncssh.SFTPError, DeliveryError, TokenGone)
_GOODBYE_SECONDS = 2.0


class SftpPool:
    """At most `limit` connections; opened when needed, closed when idle for long."""

    def __init__(self, login: SftpLogin, *, limit: int, idle_seconds: float = 300.0) -> None:
        self._login = login
        self._free = asyncio.Semaphore(limit)
        self._idle_seconds = idle_seconds
        self._idle: list[SftpSession] = []
        self._closed = False
        self._goodbyes: set[asyncio.Task[None]] = set()

    @property
    def idle(self) -> int:
        """How many connections wait for work."""
        return len(self._idle)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[SftpSession]:
        """A connection for this block alone; raises as SftpLogin.open."""
        async with self._free:
            session = self._take() or await SftpSession.open(self._login)
            kept = False
            try:
                yield session
                kept = True
            except _ANSWERS as error:
                kept = not isinstance(error, LOST)
                raise
            finally:
                # A cancelled operation leaves requests under way: such a connection is dropped.
                if kept:
                    self._give_back(session)
                else:
                    session.abort()

    def forget_idle(self) -> None:
        """Drop the connections that wait: the server seems to have gone and come back."""
        while self._idle:
            self._idle.pop().abort()

    async def aclose(self) -> None:
        """Close what waits; what is at work is closed when it is given back."""
        self._closed = True
        waiting, self._idle = self._idle, []
        for session in waiting:
            self._say_goodbye(session)
        await asyncio.gather(*self._goodbyes)

    def _take(self) -> SftpSession | None:
        # The one used last is the likeliest to live; the others age and are closed.
        while self._idle:
            session = self._idle.pop()
            if session.alive:
                session.reused = True
                return session
        return None

    def _give_back(self, session: SftpSession) -> None:
        if self._closed or not session.alive:
            session.abort()
            return
        session.idle_since = time.monotonic()
        self._idle.append(session)
        while session.idle_since - self._idle[0].idle_since > self._idle_seconds:
            self._say_goodbye(self._idle.pop(0))

    def _say_goodbye(self, session: SftpSession) -> None:
        task = asyncio.create_task(_close(session))
        self._goodbyes.add(task)
        task.add_done_callback(self._goodbyes.discard)


async def _close(session: SftpSession) -> None:
    try:
        async with asyncio.timeout(_GOODBYE_SECONDS):
            with contextlib.suppress(OSError, asyncssh.Error):
                await session.aclose()
    except TimeoutError:
        session.abort()
