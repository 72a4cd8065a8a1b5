"""One operator: takes an order in and brings it to the ERP, the way that people do."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

from countersign_chaos.clients.act import Action, Reply, Verdict
from countersign_chaos.clients.clerk import Clerk
from countersign_chaos.clients.orders import Orders

_TRIES = 25
_PAUSE_SECONDS = (0.1, 1.5)
_SHORT_SECONDS = (0.01, 0.4)
_BATCH = 40


class Operator:
    """Works off one order after the other, each in a way that chance chooses."""

    def __init__(self, name: str, clerk: Clerk, orders: Orders) -> None:
        self._name = name
        self._clerk = clerk
        self._orders = orders
        self._keys = 0
        self._edits = 0
        self._ways: tuple[tuple[Callable[[], Awaitable[None]], int], ...] = (
            (self.plain, 30),
            (self.double_click, 14),
            (self.impatient, 12),
            (self.without_key, 10),
            (self.gone, 6),
            (self.race, 10),
            (self.edit_between, 8),
            (self.hasty_retry, 6),
            (self.second_thoughts, 5),
            (self.rejected, 3),
            (self.batch, 5),
        )

    @property
    def _chance(self) -> random.Random:
        return self._clerk.chance

    async def work(self) -> None:
        """One order, or one batch of them."""
        ways, weights = zip(*self._ways, strict=True)
        [way] = self._chance.choices(ways, weights)
        await way()

    async def plain(self) -> None:
        """Submit, approve, push with a key."""
        if draft := await self._approved():
            await self._insist(Action.PUSH, draft, key=self._key())

    async def double_click(self) -> None:
        """Two or three pushes at once: with one key, or without."""
        if draft := await self._approved():
            key = self._key() if self._chance.random() < 0.5 else None  # noqa: PLR2004 — even odds
            clicks = self._chance.randint(2, 3)
            await asyncio.gather(*(self._ask(Action.PUSH, draft, key=key) for _ in range(clicks)))
            await self._insist(Action.PUSH, draft, key=key)

    async def impatient(self) -> None:
        """Does not wait for the answer, and asks again with the same key until there is one."""
        if draft := await self._approved():
            key = self._key()
            await self._ask(Action.PUSH, draft, self._short(), key=key)
            await self._insist(Action.PUSH, draft, key=key)

    async def without_key(self) -> None:
        """The same from a client that knows no keys."""
        if draft := await self._approved():
            await self._ask(Action.PUSH, draft, self._short())
            await self._insist(Action.PUSH, draft)

    async def gone(self) -> None:
        """Asks, closes the window and never looks again."""
        if draft := await self._approved():
            await self._ask(Action.PUSH, draft, self._short(), key=self._key())

    async def race(self) -> None:
        """Three operators at one draft: all approve, all push, one edits, one takes it back."""
        draft = await self._submitted()
        if not draft:
            return
        await asyncio.gather(
            *(self._ask(Action.APPROVE, draft, actor=f"{self._name}-{n}") for n in range(3))
        )
        await asyncio.gather(
            *(self._ask(Action.PUSH, draft, key=self._key()) for _ in range(2)),
            self._edit(draft),
            self._ask(Action.REVOKE, draft),
        )
        await self._ask(Action.APPROVE, draft)
        await self._insist(Action.PUSH, draft, key=self._key())

    async def edit_between(self) -> None:
        """Approved, then edited: the push is refused until it is approved anew."""
        if draft := await self._approved():
            await self._edit(draft)
            await self._ask(Action.PUSH, draft, key=self._key())
            # An edit takes the approval back; another edit moves the draft on to READY.
            await self._edit(draft)
            await self._insist(Action.APPROVE, draft)
            await self._insist(Action.PUSH, draft, key=self._key())

    async def hasty_retry(self) -> None:
        """Presses retry while the first push is on its way, and tries automatically."""
        if draft := await self._approved():
            await self._insist(Action.PUSH, draft, key=self._key())
            for _ in range(self._chance.randint(1, 3)):
                await self._ask(Action.RETRY, draft, key=self._key())
                await self._pause()

    async def second_thoughts(self) -> None:
        """Takes the export back, or wants it tried at once, while it may be under way."""
        if draft := await self._approved():
            pushed = await self._insist(Action.PUSH, draft, key=self._key())
            if pushed.verdict is Verdict.YES:
                action = self._chance.choice((Action.CANCEL, Action.EXPEDITE))
                reason = {"reason": "second thoughts"}
                await self._ask(action, draft, export_id=pushed.export_id, body=reason)

    async def rejected(self) -> None:
        """Refuses the order; a push after that goes nowhere."""
        if draft := await self._submitted():
            await self._insist(Action.REJECT, draft, body={"reason": "not ours"})
            await self._ask(Action.PUSH, draft)

    async def batch(self) -> None:
        """Approves and pushes many at once, and presses the button twice."""
        submitted = await asyncio.gather(*(self._submitted() for _ in range(_BATCH)))
        drafts = [draft for draft in submitted if draft]
        if not drafts:
            return
        approve = self._clerk.act(Action.APPROVE, self._name)
        await self._clerk.ask_many(approve, drafts, 20.0)
        key = self._key()
        for _ in range(2):
            push = self._clerk.act(Action.PUSH, self._name, key=key)
            await self._clerk.ask_many(push, drafts, 20.0)

    async def _submitted(self) -> str:
        reply = await self._insist(Action.SUBMIT, "", body=self._orders.next())
        return reply.draft_id if reply.verdict is Verdict.YES else ""

    async def _approved(self) -> str:
        draft = await self._submitted()
        if not draft:
            return ""
        reply = await self._insist(Action.APPROVE, draft)
        # ALREADY_APPROVED: by the request before, whose answer was lost.
        approved = reply.verdict is Verdict.YES or reply.reason == "ALREADY_APPROVED"
        return draft if approved else ""

    async def _edit(self, draft: str) -> Reply:
        # Never what was there before: an edit that changes nothing is no act.
        self._edits += 1
        qty = f"{self._edits}.{self._chance.randint(1, 999):03}"
        return await self._ask(Action.EDIT, draft, body={"qty": qty})

    async def _ask(
        self, action: Action, draft: str, patience: float = 10.0, *, actor: str = "", **more: Any
    ) -> Reply:
        act = self._clerk.act(action, actor or self._name, draft_id=draft, **more)
        return await self._clerk.ask(act, patience)

    async def _insist(self, action: Action, draft: str, **more: Any) -> Reply:
        """Ask until there is a definite answer, so many times; each time a new request."""
        reply = Reply(Verdict.UNKNOWN)
        for _ in range(_TRIES):
            reply = await self._ask(action, draft, **more)
            if reply.verdict is not Verdict.UNKNOWN:
                break
            await self._pause()
        return reply

    async def _pause(self) -> None:
        await asyncio.sleep(self._chance.uniform(*_PAUSE_SECONDS))

    def _short(self) -> float:
        return self._chance.uniform(*_SHORT_SECONDS)

    def _key(self) -> str:
        self._keys += 1
        return f"{self._name}-{self._keys}"
