"""Reads of Redis that wait at the same time become one.

An exchange costs the client far more than another name in it. Whoever asks while one is under
way, or a moment after it, goes with the next; a question alone goes at once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context

Values = list[bytes | str | None]
_Question = tuple[Sequence[str], asyncio.Future[Values]]

# More would keep the first of them waiting for the last.
_MOST = 128
# From the end of an exchange to the next one: under load a few more have come by then.
_REST_SECONDS = 0.002


class SharedReads:
    """Values by name, from `read`, which takes any number of names at once."""

    def __init__(self, read: Callable[[list[str]], Awaitable[Values]]) -> None:
        self._read = read
        self._waiting: list[_Question] = []
        self._reading: asyncio.Task[None] | None = None
        self._next = 0.0

    async def get(self, names: Sequence[str]) -> Values:
        """A value or None per name. Raises what `read` raises."""
        answer: asyncio.Future[Values] = asyncio.get_running_loop().create_future()
        self._waiting.append((names, answer))
        if self._reading is None:
            # Not in the caller's context: its deadline is not that of the others.
            self._reading = asyncio.create_task(self._work(), context=Context())
        return await answer

    async def _work(self) -> None:
        clock = asyncio.get_running_loop().time
        try:
            while self._waiting:
                if (rest := self._next - clock()) > 0:
                    await asyncio.sleep(rest)
                together, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
                await self._answer(together)
                self._next = clock() + _REST_SECONDS
        finally:
            self._reading = None
            for _, answer in self._waiting:
                answer.cancel()

    async def _answer(self, together: Sequence[_Question]) -> None:
        try:
            values = await self._read([name for names, _ in together for name in names])
        except Exception as error:  # noqa: BLE001 — it belongs to those who asked
            for _, answer in together:
                if not answer.done():
                    answer.set_exception(error)
            return
        at = 0
        for names, answer in together:
            if not answer.done():  # its caller may be gone
                answer.set_result(values[at : at + len(names)])
            at += len(names)
