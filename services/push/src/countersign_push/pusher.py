"""From intents to answers: replay, push, and where nothing moved, the reason why."""

from collections.abc import Iterable, Sequence
from uuid import UUID

import structlog

from countersign_core.errors import CountersignError, Unavailable
from countersign_core.lifecycle import ExportStatus
from countersign_platform.rpc.call import Call
from countersign_push.errors import PushCollision
from countersign_push.idempotency import parse_key
from countersign_push.metrics import PUSHES, REPLAYS
from countersign_push.ports import FinalReplay, KeyScope, ReplayCache, WakeUp
from countersign_push.push_combiner import PushCombiner
from countersign_push.push_intent import Operation, PushIntent, PushResult
from countersign_push.push_messages import push_item
from countersign_push.push_refusal import Findings, Replay, key_reused, refusal
from countersign_push.store.push import PushBatch, Pushed, PushItem
from countersign_push.store.push_findings import FindingsStore

Answer = PushResult | CountersignError
Answers = dict[UUID, Answer]

_log = structlog.get_logger(__name__)

# A draft that is pushable again by the time we ask why it was not is pushed again, so often.
_ROUNDS = 3
_FINAL = frozenset({ExportStatus.ACKED, ExportStatus.FAILED})


class Pusher:
    """Runs pushes and retries, one or many at once, each with an answer of its own."""

    def __init__(
        self,
        pushes: PushCombiner,
        findings: FindingsStore,
        replays: ReplayCache,
        wake: WakeUp,
        *,
        announce: bool = True,
    ) -> None:
        """`wake` is called after each commit; `announce`: a message to workers goes with it."""
        self._pushes = pushes
        self._findings = findings
        self._replays = replays
        self._wake = wake
        self._announce = announce

    async def push_one(self, call: Call, operation: Operation, intent: PushIntent) -> PushResult:
        """Pushes one draft.

        Raises:
            CountersignError: the refusal; see PushService in the contract.
        """
        [answer] = await self.push_all(call, operation, [intent])
        if isinstance(answer, CountersignError):
            raise answer
        return answer

    async def push_all(
        self, call: Call, operation: Operation, intents: Sequence[PushIntent]
    ) -> list[Answer]:
        """Pushes drafts of one org, each at most once in `intents`; answers in their order.

        Raises:
            InvalidRequest: IDEMPOTENCY_KEY_INVALID.
            Unavailable: the database is away; nothing or everything was pushed.
        """
        batch = self._batch(call, operation, intents)
        answers = await self._remembered(batch)
        rest = [item for item in batch.items if item.export_id not in answers]
        if rest:
            answers |= await self._settle(batch.only(rest), _ROUNDS)
        self._count(operation, answers.values())
        return [answers[item.export_id] for item in batch.items]

    def _batch(self, call: Call, operation: Operation, intents: Sequence[PushIntent]) -> PushBatch:
        return PushBatch(
            org_id=call.org_id,
            org_slug=call.identity.org_slug,
            operation=operation,
            key=parse_key(call.idempotency_keys),
            pusher=call.identity.subject,
            request_id=call.request_id,
            traceparent=call.traceparent,
            items=[
                push_item(call, operation, intent, announce=self._announce) for intent in intents
            ],
        )

    async def _remembered(self, batch: PushBatch) -> Answers:
        if batch.key is None:
            return {}
        scope = KeyScope(batch.org_id, batch.operation, batch.key)
        drafts = [item.intent.draft_id for item in batch.items]
        found = await self._replays.look_up(scope, drafts)
        return {
            item.export_id: _remembered_answer(item, found[item.intent.draft_id])
            for item in batch.items
            if item.intent.draft_id in found
        }

    async def _settle(self, batch: PushBatch, rounds: int) -> Answers:
        try:
            moved = await self._pushes.push(batch)
        except PushCollision:
            if len(batch.items) > 1:
                return await self._settle_each(batch)
            moved = {}
        if any(isinstance(outcome, Pushed) for outcome in moved.values()):
            self._wake()
        answers: Answers = {}
        for item in batch.items:
            match moved.get(item.export_id):
                case Pushed():
                    _log.info(
                        "draft_pushed",
                        operation=batch.operation.value,
                        draft_order_id=str(item.intent.draft_id),
                        erp_export_id=str(item.export_id),
                    )
                    answers[item.export_id] = PushResult(
                        item.export_id, ExportStatus.PENDING, replayed=False
                    )
                case Replay() as replay:
                    answers[item.export_id] = await self._replayed(batch, item, replay)
        unmoved = [item for item in batch.items if item.export_id not in answers]
        if unmoved:
            answers |= await self._explain(batch.only(unmoved), rounds)
        return answers

    async def _settle_each(self, batch: PushBatch) -> Answers:
        """One by one, after a race over one of them undid the whole statement."""
        answers: Answers = {}
        for item in batch.items:
            try:
                answers |= await self._settle(batch.only([item]), _ROUNDS)
            except CountersignError as error:
                answers[item.export_id] = error
        return answers

    async def _explain(self, batch: PushBatch, rounds: int) -> Answers:
        findings = await self._findings.read(batch)
        answers: Answers = {}
        for item in batch.items:
            answer = await self._why(batch, item, findings[item.export_id])
            if answer is not None:
                answers[item.export_id] = answer
        again = [item for item in batch.items if item.export_id not in answers]
        if not again:
            return answers
        if rounds > 1:
            return answers | await self._settle(batch.only(again), rounds - 1)
        return answers | {item.export_id: _too_busy() for item in again}

    async def _why(self, batch: PushBatch, item: PushItem, found: Findings) -> Answer | None:
        if found.replay is not None:
            return await self._replayed(batch, item, found.replay)
        return refusal(batch.operation, item.intent, found)

    async def _replayed(self, batch: PushBatch, item: PushItem, replay: Replay) -> Answer:
        if not replay.same_request:
            return key_reused()
        REPLAYS.labels("database").inc()
        if replay.status in _FINAL and batch.key is not None:
            await self._replays.keep(
                KeyScope(batch.org_id, batch.operation, batch.key),
                item.intent.draft_id,
                FinalReplay(replay.export_id, replay.status, item.request_sha256),
                replay.lifetime_seconds,
            )
        return PushResult(replay.export_id, replay.status, replayed=True)

    @staticmethod
    def _count(operation: Operation, answers: Iterable[Answer]) -> None:
        for answer in answers:
            PUSHES.labels(operation.value, _outcome(answer)).inc()


def _remembered_answer(item: PushItem, replay: FinalReplay) -> Answer:
    if replay.request_sha256 != item.request_sha256:
        return key_reused()
    REPLAYS.labels("redis").inc()
    return PushResult(replay.export_id, replay.status, replayed=True)


def _outcome(answer: Answer) -> str:
    if isinstance(answer, CountersignError):
        return answer.reason.value
    return "replayed" if answer.replayed else "pushed"


def _too_busy() -> CountersignError:
    return Unavailable("The draft keeps changing; ask again")
