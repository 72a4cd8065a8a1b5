"""Questions that wait together are asked together, and nobody pays for another's."""

import asyncio
from collections.abc import Sequence
from contextvars import ContextVar

import pytest

from countersign_core.errors import Unavailable
from countersign_platform.shared_calls import AskApart, SharedCalls

_asker: ContextVar[str] = ContextVar("asker", default="nobody")


class Oracle:
    """Answers with the question's double when it is let go; remembers what went together."""

    def __init__(self) -> None:
        self.heard: list[list[int]] = []
        self.askers: list[str] = []
        self.go = asyncio.Event()
        self.apart: set[int] = set()
        self.odd: dict[int, Exception] = {}
        self.broken: Exception | None = None

    async def alone(self, question: int) -> int:
        self.heard.append([question])
        self.askers.append(_asker.get())
        await self.go.wait()
        if question in self.odd:
            raise self.odd[question]
        return 2 * question

    async def together(self, questions: Sequence[int]) -> Sequence[int | Exception]:
        self.heard.append(list(questions))
        self.askers.append(_asker.get())
        await self.go.wait()
        if self.broken is not None:
            raise self.broken
        return [AskApart() if each in self.apart else self._answer(each) for each in questions]

    def _answer(self, question: int) -> int | Exception:
        return self.odd.get(question, 2 * question)


@pytest.fixture
def oracle() -> Oracle:
    return Oracle()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def begin(calls: SharedCalls[int, int], *questions: int) -> list[asyncio.Task[int]]:
    """The first is under way before the others arrive together."""
    tasks = [asyncio.create_task(calls.ask(questions[0]))]
    await settle()
    tasks += [asyncio.create_task(calls.ask(each)) for each in questions[1:]]
    await settle()
    return tasks


async def test_a_question_alone_goes_at_once_as_its_asker_would_ask_it(oracle: Oracle) -> None:
    """With its trace and ids; what many share is nobody's."""
    oracle.go.set()
    token = _asker.set("olga")
    assert await SharedCalls(oracle.alone, oracle.together).ask(4) == 8
    calls = SharedCalls(oracle.alone, oracle.together)
    assert await asyncio.gather(calls.ask(1), calls.ask(2)) == [2, 4]
    _asker.reset(token)
    assert oracle.heard == [[4], [1, 2]]
    assert oracle.askers == ["olga", "nobody"]


async def test_what_arrives_during_a_call_goes_with_the_next(oracle: Oracle) -> None:
    tasks = await begin(SharedCalls(oracle.alone, oracle.together), 1, 2, 3, 4)
    assert oracle.heard == [[1]]
    oracle.go.set()
    assert await asyncio.gather(*tasks) == [2, 4, 6, 8]
    assert oracle.heard == [[1], [2, 3, 4]]


async def test_a_call_takes_so_many_questions_and_no_more(oracle: Oracle) -> None:
    tasks = await begin(SharedCalls(oracle.alone, oracle.together, most=2), *range(6))
    oracle.go.set()
    assert await asyncio.gather(*tasks) == [2 * each for each in range(6)]
    assert oracle.heard == [[0], [1, 2], [3, 4], [5]]


async def test_one_refusal_is_one_askers(oracle: Oracle) -> None:
    oracle.odd[3] = ValueError("three")
    tasks = await begin(SharedCalls(oracle.alone, oracle.together), 1, 2, 3, 4)
    oracle.go.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert answers == [2, 4, oracle.odd[3], 8]


async def test_what_cannot_be_answered_together_is_asked_by_itself(oracle: Oracle) -> None:
    """One of them, or all when the call as a whole came to nothing."""
    oracle.apart.add(3)
    tasks = await begin(SharedCalls(oracle.alone, oracle.together), 1, 2, 3)
    oracle.go.set()
    assert await asyncio.gather(*tasks) == [2, 4, 6]
    assert oracle.heard == [[1], [2, 3], [3]]

    oracle.heard.clear()
    oracle.broken = AskApart()
    tasks = await begin(SharedCalls(oracle.alone, oracle.together), 1, 2, 3)
    assert await asyncio.gather(*tasks) == [2, 4, 6]
    assert sorted(oracle.heard[-2:]) == [[2], [3]]


async def test_any_other_failure_of_a_call_is_everybodys(oracle: Oracle) -> None:
    """And the next call is made all the same."""
    oracle.broken = Unavailable("away")
    calls = SharedCalls(oracle.alone, oracle.together)
    tasks = await begin(calls, 1, 2, 3)
    oracle.go.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert answers == [2, oracle.broken, oracle.broken]
    assert await calls.ask(7) == 14


async def test_who_gives_up_while_waiting_is_not_asked_for(oracle: Oracle) -> None:
    tasks = await begin(SharedCalls(oracle.alone, oracle.together), 1, 2, 3, 4)
    tasks[2].cancel()
    await settle()
    oracle.go.set()
    assert await asyncio.gather(tasks[0], tasks[1], tasks[3]) == [2, 4, 8]
    assert oracle.heard == [[1], [2, 4]]


async def test_who_gives_up_during_the_call_leaves_the_others_unharmed(oracle: Oracle) -> None:
    calls = SharedCalls(oracle.alone, oracle.together)
    tasks = [asyncio.create_task(calls.ask(each)) for each in (1, 2)]
    await settle()
    assert oracle.heard == [[1, 2]]
    tasks[0].cancel()
    oracle.go.set()
    assert await tasks[1] == 4
    assert await calls.ask(3) == 6


async def test_a_slow_call_is_not_waited_for(oracle: Oracle) -> None:
    """The next one begins beside it after a moment, and both are answered."""
    calls = SharedCalls(oracle.alone, oracle.together, patience_seconds=0.01)
    slow = await begin(calls, 1, 2, 3)
    async with asyncio.timeout(60):
        while len(oracle.heard) < 2:
            await asyncio.sleep(0.001)
    assert oracle.heard == [[1], [2, 3]]
    oracle.go.set()
    assert await asyncio.gather(*slow) == [2, 4, 6]


async def test_a_turn_is_given_on_once(oracle: Oracle) -> None:
    """When its call was slow, and not again when that call ends."""
    calls = SharedCalls(oracle.alone, oracle.together, patience_seconds=0.05)
    slow = await begin(calls, 1, 2)
    async with asyncio.timeout(60):
        while len(oracle.heard) < 2:
            await asyncio.sleep(0.001)
    oracle.go.set()
    await asyncio.gather(*slow)
    await settle()
    oracle.go.clear()
    oracle.heard.clear()
    tasks = await begin(calls, 5, 6, 7)
    assert oracle.heard == [[5]]
    oracle.go.set()
    assert await asyncio.gather(*tasks) == [10, 12, 14]
