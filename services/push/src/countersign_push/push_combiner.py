"""Pushes that wait at the same time become one statement.

While a statement is under way others arrive; the next one takes them all. A push alone goes at
once, by itself; under load the cost of a round trip, a plan and a commit is shared, which is
what limits a single draft per statement. Nothing is kept waiting for company, and of a draft
that somebody holds a lock on the others' statement waits a moment only.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine
from contextvars import Context
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from countersign_core.errors import Unavailable
from countersign_push.errors import DraftLocked, PushCollision
from countersign_push.metrics import PUSHES_PER_STATEMENT
from countersign_push.store.push import Outcomes, PushBatch

# More would win little and keep the first of them waiting for the last.
_MOST = 64


class Pushes(Protocol):
    """Runs one statement; PushStore is one."""

    async def push(self, batches: list[PushBatch], *, patient: bool = False) -> Outcomes:
        """See PushStore."""


_Draft = tuple[UUID, UUID]


@dataclass(slots=True)
class _Waiting:
    batch: PushBatch
    outcomes: asyncio.Future[Outcomes]

    @property
    def drafts(self) -> set[_Draft]:
        return {(self.batch.org_id, item.intent.draft_id) for item in self.batch.items}


class PushCombiner:
    """Combines batches of any callers and orgs; each caller hears of its own drafts only."""

    def __init__(self, pushes: Pushes, *, statements: int) -> None:
        """`statements`: how many combined ones may be under way at once."""
        self._pushes = pushes
        self._statements = statements
        self._waiting: deque[_Waiting] = deque()
        # A draft in a statement under way: asked for again, it waits for that one's end, and
        # holds up nothing else meanwhile.
        self._busy: set[_Draft] = set()
        self._combined = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def push(self, batch: PushBatch) -> Outcomes:
        """`batch`, alone or with others. A caller that gives up leaves the others unharmed.

        Raises:
            PushCollision: as PushStore.push; over a draft of this batch.
        """
        waiting = _Waiting(batch, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._begin()
        return await waiting.outcomes

    def _begin(self) -> None:
        if self._waiting and self._combined < self._statements:
            self._combined += 1
            self._start(self._work())

    def _start(self, work: Coroutine[None, None, None]) -> None:
        # Not in the caller's context: its deadline is not that of the others.
        task = asyncio.create_task(work, context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self) -> None:
        try:
            while group := self._next_group():
                PUSHES_PER_STATEMENT.observe(sum(len(each.batch.items) for each in group))
                await self._run(group)
        finally:
            self._combined -= 1

    def _next_group(self) -> list[_Waiting]:
        group: list[_Waiting] = []
        later: list[_Waiting] = []
        size = 0
        while self._waiting and size < _MOST:
            each = self._waiting.popleft()
            if each.outcomes.done():  # its caller is gone
                continue
            drafts = each.drafts
            if not self._busy.isdisjoint(drafts) or (group and size + len(drafts) > _MOST):
                later.append(each)
                continue
            self._busy |= drafts
            size += len(drafts)
            group.append(each)
        self._waiting.extendleft(reversed(later))
        return group

    async def _run(self, group: list[_Waiting], *, patient: bool = False) -> None:
        try:
            outcomes = await self._pushes.push([each.batch for each in group], patient=patient)
        except PushCollision as collision:
            if len(group) == 1:
                self._fail(group, collision)
            else:  # one of them undid the statement for all
                self._run_apart(group)
        except DraftLocked:
            # Also when it was alone: the statement that others go with is not for waiting.
            self._run_apart(group)
        except asyncio.CancelledError:
            self._fail(group, Unavailable("The service is going away"))
            raise
        except Exception as error:  # noqa: BLE001 — it belongs to the callers
            self._fail(group, error)
        else:
            for each in group:
                mine = {item.export_id: outcomes[item.export_id] for item in each.batch.items}
                self._end(each)
                if not each.outcomes.done():
                    each.outcomes.set_result(mine)

    def _run_apart(self, group: list[_Waiting]) -> None:
        """Each by itself, with only itself to wait for; none takes anybody's turn."""
        for each in group:
            self._start(self._run([each], patient=True))

    def _fail(self, group: list[_Waiting], error: Exception) -> None:
        for each in group:
            self._end(each)
            if not each.outcomes.done():
                each.outcomes.set_exception(error)

    def _end(self, waiting: _Waiting) -> None:
        self._busy -= waiting.drafts
        self._begin()
