"""Whoever asks on behalf of one org: puts every request and every answer on record."""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from countersign_chaos.clients.act import Act, Action, Reply, Verdict
from countersign_chaos.clients.rest import RestApi
from countersign_chaos.clients.rpc import RpcApi
from countersign_chaos.journal import Journal

# Of calls that could go either way, so many go over gRPC.
_OVER_GRPC = 0.5


@dataclass(frozen=True, slots=True)
class Pushed:
    """An acknowledged push: when it was, and of which draft."""

    at: float
    draft_id: str


class Clerk:
    """Asks over REST or gRPC and writes one line per request (per draft, where it names many)."""

    def __init__(
        self, org: UUID, rest: RestApi, rpc: RpcApi, journal: Journal, chance: random.Random
    ) -> None:
        self.org = org
        self.chance = chance
        self._rest = rest
        self._rpc = rpc
        self._journal = journal
        self._asked = 0
        # By export, in the order of the answers.
        self.acknowledged: dict[str, Pushed] = {}

    def act(self, action: Action, actor: str, **more: Any) -> Act:
        """A new request of `actor`."""
        self._asked += 1
        request_id = f"chaos-{self.org.hex[:8]}-{self._asked}"
        return Act(action, self.org, actor, request_id, **more)

    async def ask(self, act: Act, patience: float = 10.0) -> Reply:
        """Ask once; the answer, or UNKNOWN after so many seconds."""
        api: RestApi | RpcApi = self._rpc if self.chance.random() < _OVER_GRPC else self._rest
        began = time.time()
        reply = Reply(Verdict.UNKNOWN, "CutShort")
        try:
            reply = await api.call(act, patience)
        finally:
            self._note(act, reply, began, type(api).__name__)
        return reply

    async def ask_many(self, act: Act, drafts: Sequence[str], patience: float) -> dict[str, Reply]:
        """Ask once for many drafts."""
        began = time.time()
        replies = dict.fromkeys(drafts, Reply(Verdict.UNKNOWN, "CutShort"))
        try:
            replies = await self._rest.batch(act, list(drafts), patience)
        finally:
            for draft_id, reply in replies.items():
                self._note(act, reply, began, "Batch", draft_id)
        return replies

    def _note(self, act: Act, reply: Reply, began: float, via: str, draft_id: str = "") -> None:
        now = time.time()
        is_push = act.action in {Action.PUSH, Action.RETRY}
        if is_push and reply.verdict is Verdict.YES:
            pushed = Pushed(now, draft_id or act.draft_id)
            self.acknowledged.setdefault(reply.export_id, pushed)
        self._journal.write(
            {
                "at": began,
                "seconds": round(now - began, 4),
                "org": str(act.org),
                "via": via,
                "action": act.action,
                "actor": act.actor,
                "request_id": act.request_id,
                "draft_id": draft_id or act.draft_id or reply.draft_id,
                "export_id": reply.export_id or act.export_id,
                "key": act.key,
                "verdict": reply.verdict,
                "reason": reply.reason,
                "status": reply.status,
                "version": reply.version,
                "content_sha256": reply.content_sha256,
                "replayed": reply.replayed,
                "created": reply.created,
            }
        )
