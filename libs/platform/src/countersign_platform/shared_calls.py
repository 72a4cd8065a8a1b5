"""Calls that wait at the same time become one.

A question alone goes at once, by itself. Who asks while a call is under way goes with the next
one, so under load many share what every call costs; nobody is kept waiting for company. And
nobody waits long for somebody else: after a moment the next call begins beside a slow one, and
what cannot be answered together is asked again each by itself.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from countersign_core.errors import Unavailable

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class AskApart(Exception):
    """Nothing is known of what was asked together: each is to be asked for by itself."""


@dataclass(slots=True, eq=False)
class _Asked(Generic[Question, Answer]):
    question: Question
    answer: asyncio.Future[Answer]
    # A question alone is asked as its asker would: with its trace, ids and deadline.
    context: Context

    def take(self, answer: "Answer | Exception") -> None:
        """Hand the answer to the asker, who may be gone."""
        if self.answer.done():
            return
        if isinstance(answer, Exception):
            self.answer.set_exception(answer)
        else:
            self.answer.set_result(answer)


class SharedCalls(Generic[Question, Answer]):
    """One call for many questions; each asker hears its own answer only."""

    def __init__(
        self,
        alone: Callable[[Question], Awaitable[Answer]],
        together: Callable[[Sequence[Question]], Awaitable[Sequence[Answer | Exception]]],
        *,
        most: int = 64,
        at_once: int = 1,
        patience_seconds: float | None = 0.25,
    ) -> None:
        """`together` gets two questions or more and answers in their order.

        It raises AskApart, or has it as an answer, for what is to be asked through `alone`;
        any other exception among the answers is its asker's, and one that is raised everybody's.

        `most`: questions in one call. `at_once`: calls that are waited for before the next
        begins, each of them for `patience_seconds` at the most; None: however long it takes.
        """
        self._alone = alone
        self._together = together
        self._most = most
        self._at_once = at_once
        self._patience = patience_seconds
        self._waiting: deque[_Asked[Question, Answer]] = deque()
        self._under_way = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, question: Question) -> Answer:
        """The answer. Who gives up leaves the others unharmed, and may have been heard."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Asked(question, answer, copy_context()))
        self._begin()
        return await answer

    def _begin(self) -> None:
        if self._waiting and self._under_way < self._at_once:
            self._under_way += 1
            self._start(self._work(), Context())

    def _start(self, work: Coroutine[Any, Any, None], context: Context) -> None:
        task = asyncio.create_task(work, context=context)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self) -> None:
        turn = _Turn(self._next, self._patience)
        try:
            await self._call(self._next_group())
        finally:
            turn.end()

    def _next(self) -> None:
        self._under_way -= 1
        self._begin()

    def _next_group(self) -> list[_Asked[Question, Answer]]:
        group: list[_Asked[Question, Answer]] = []
        while self._waiting and len(group) < self._most:
            asked = self._waiting.popleft()
            if not asked.answer.done():  # else its asker is gone
                group.append(asked)
        return group

    async def _call(self, group: Sequence[_Asked[Question, Answer]]) -> None:
        try:
            await self._answer(group)
        except asyncio.CancelledError:
            for asked in group:
                asked.take(Unavailable("The process is going away"))
            raise

    async def _answer(self, group: Sequence[_Asked[Question, Answer]]) -> None:
        if len(group) == 1:
            await asyncio.create_task(self._ask_alone(group[0]), context=group[0].context)
        elif group:
            for asked, answer in zip(group, await self._answers(group), strict=True):
                if isinstance(answer, AskApart):
                    # Beside the next calls: it takes nobody's turn.
                    self._start(self._ask_alone(asked), asked.context)
                else:
                    asked.take(answer)

    async def _answers(
        self, group: Sequence[_Asked[Question, Answer]]
    ) -> Sequence[Answer | Exception]:
        try:
            return await self._together([asked.question for asked in group])
        except Exception as error:  # noqa: BLE001 — it belongs to the askers
            return [error] * len(group)

    async def _ask_alone(self, asked: _Asked[Question, Answer]) -> None:
        try:
            asked.take(await self._alone(asked.question))
        except asyncio.CancelledError:
            asked.take(Unavailable("The process is going away"))
            raise
        except Exception as error:  # noqa: BLE001 — it belongs to the asker
            asked.take(error)


class _Turn:
    """The place of one call; given to the next when it ends, or when it takes too long."""

    def __init__(self, following: Callable[[], None], patience_seconds: float | None) -> None:
        self._following = following
        self._ended = False
        self._patience: asyncio.TimerHandle | None = None
        if patience_seconds is not None:
            loop = asyncio.get_running_loop()
            self._patience = loop.call_later(patience_seconds, self.end)

    def end(self) -> None:
        if not self._ended:
            self._ended = True
            if self._patience is not None:
                self._patience.cancel()
            self._following()
