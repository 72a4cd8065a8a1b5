"""Reads of Redis that wait at the same time become one.

An exchange costs the client far more than another name in it. Whoever asks while one is under
way goes with the next; a question alone goes at once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context

Values = list[bytes | str | None]
_Question = tuple[Sequence[str], asyncio.Future[Values]]

# More would keep the first of them waiting for the last.
_MOST = 128


class SharedReads:
    """Values by name, from `read`, which takes any number of names at once."""

    def __init__(self, read: Callable[[list[str]], Awaitable[Values]]) -> None:
        self._read = read
        self._waiting: list[_Question] = []
        self._reading: asyncio.Task[None] | None = None

    async def get(self, names: Sequence[str]) -> Values:
        """A value or None per name. Raises what `read` raises."""
        answer: asyncio.Future[Values] = asyncio.get_running_loop().create_future()
        self._waiting.append((names, answer))
        if self._reading is None:
            # Not in the caller's context: its deadline is not that of the others.
            self._reading = asyncio.create_task(self._work(), context=Context())
        return await answer

    async def _work(self) -> None:
        try:
            while self._waiting:
                together, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
                await self._answer(together)
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
