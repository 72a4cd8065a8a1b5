"""Walks every interleaving of workers that share one export, with everything that can fail.

The code that runs is delivery.Delivery itself, against the in-memory twins of push and of the
dropzone. Each call it makes is one step. In every state, every one of these may come next:

- a worker's next call is carried out;
- (a direct connector has one step in place of the renames: it is carried out or not, and its
  failure says so, or leaves it open)
- it fails: not carried out; carried out but the answer lost; or answered as failed and carried
  out at any later moment (a hung disk, a slow network);
- a worker dies;
- a lease runs out and another worker claims, the first one none the wiser;
- the ERP picks the file up;
- the sweeper removes a file that push says nobody needs.

A worker's local state is a function of the answers it got, so a state is the record, the
files, and each worker's answers; equal states are visited once.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from countersign_core.lifecycle import ExportStatus
from countersign_export_worker.assignment import Assignment
from countersign_export_worker.connectors.memory import MemoryConnector
from countersign_export_worker.delivery import Delivery
from countersign_export_worker.errors import (
    OUTCOME_UNKNOWN,
    LeaseLost,
    NameTaken,
    TokenGone,
    WorkRefused,
)
from countersign_export_worker.file_names import DropName, parse_drop_name
from countersign_export_worker.testing.stepwise import (
    ARRIVED,
    FILE_CHANGES,
    REPORTS,
    SEND,
    Answer,
    Call,
    Ports,
    call_after,
    carry_out,
    deliver_as,
    result_of,
)
from countersign_export_worker.testing.work_twin import ExportRecord, WorkTwin


class Violation(AssertionError):
    """A state that must not be, and the steps that led there."""


class Worker(NamedTuple):
    """A worker: what differs in what it was given, and every answer since."""

    fence: int
    last_attempt: bool
    staged_name: str
    answers: tuple[Answer, ...] = ()


class State(NamedTuple):
    """Everything there is. `late`: calls that were given up and may still be carried out."""

    record: ExportRecord
    files: frozenset[str]
    published: int
    workers: tuple[Worker, ...]
    late: frozenset[Call]
    faults_left: int
    claims_left: int


# The record and the files after a call, and what it answered.
Effect = tuple[ExportRecord, frozenset[str], Answer]


@dataclass(frozen=True)
class Summary:
    """What a walk saw."""

    states: int
    ends: frozenset[ExportStatus]


class DeliveryModel:
    """One walk through every state."""

    def __init__(
        self,
        record: ExportRecord,
        *,
        claims: int,
        faults: int,
        variant: type[Delivery] = Delivery,
        twin: Callable[..., WorkTwin] = WorkTwin,
        direct: bool = False,
        can_tell: bool = False,
    ) -> None:
        """`claims`: workers, one after the other or at once. `faults`: failed calls.

        `direct`: over a direct connector; `can_tell`: it sees what the ERP still shows.
        """
        self._first = State(record, frozenset(), 0, (), frozenset(), faults, claims)
        self._max_attempts = max(1, claims - 1)
        self._deliver = deliver_as(variant)
        self._twin = twin
        self._ports = Ports(is_direct=direct)
        self._direct = direct
        self._can_tell = can_tell
        self._claims: dict[int, Assignment] = {}
        self._next_calls: dict[Worker, Call | None] = {}
        self._effects: dict[tuple[ExportRecord, frozenset[str], Call], Effect] = {}
        self._removables: dict[tuple[ExportRecord, frozenset[str]], frozenset[DropName]] = {}
        self._came_from: dict[State, tuple[State | None, str]] = {}
        self._settled: dict[tuple[Any, ...], ExportStatus] = {}

    def walk(self) -> Summary:
        """Visit every state.

        Raises:
            Violation: with the shortest way there.
        """
        self._came_from[self._first] = (None, "push")
        waiting = deque([self._first])
        while waiting:
            state = waiting.popleft()
            self._check(state)
            for step, following in self._steps(state):
                if following not in self._came_from:
                    self._came_from[following] = (state, step)
                    waiting.append(following)
        return Summary(len(self._came_from), frozenset(self._settled.values()))

    def _steps(self, state: State) -> Iterator[tuple[str, State]]:
        for index, worker in enumerate(state.workers):
            yield from self._steps_of_worker(state, index, worker)
        for call in state.late:
            after, _ = self._carry_out(state, call)
            yield f"late {call.method}", after._replace(late=state.late - {call})
        if state.claims_left and state.record.status is ExportStatus.PENDING:
            yield "a worker claims", self._claim(state)
        if state.record.file_name in state.files:
            yield "the ERP picks up", state._replace(files=state.files - {state.record.file_name})
        for name in self._removable(state):
            if Call("discard", (name,)) in state.late:
                continue
            yield f"sweep {name}", state._replace(late=state.late | {Call("discard", (name,))})

    def _steps_of_worker(
        self, state: State, index: int, worker: Worker
    ) -> Iterator[tuple[str, State]]:
        call = self._next_call(worker)
        assert call is not None
        who = f"worker {worker.fence}"
        before, behind = state.workers[:index], state.workers[index + 1 :]
        yield f"{who} dies before {call.method}", state._replace(workers=before + behind)

        def answered(after: State, answer: Answer) -> State:
            heard = worker._replace(answers=(*worker.answers, answer))
            # Who has nothing more to do is as good as gone.
            alive = (heard,) if self._next_call(heard) else ()
            return after._replace(workers=before + alive + behind)

        after, answer = self._carry_out(state, call)
        yield f"{who} {call.method}: {answer.error or 'ok'}", answered(after, answer)
        if not state.faults_left:
            return
        for how, then, error in self._faults(state, call, after):
            less = then._replace(faults_left=state.faults_left - 1)
            yield f"{who} {call.method} {how}: {error}", answered(less, Answer(error=error))

    def _faults(self, state: State, call: Call, after: State) -> Iterator[tuple[str, State, str]]:
        later = state._replace(late=state.late | {call})
        if call.method in REPORTS:
            yield "not carried out", state, "WorkUnavailable"
            yield "reply lost", after, "WorkUnavailable"
            yield "delayed", later, "WorkUnavailable"
        elif call.method == "removable":
            yield "not answered", state, "WorkUnavailable"
        else:
            yield "not carried out", state, "TransientDeliveryError"
            yield "refused", state, "PermanentDeliveryError"
        if call.method == SEND:
            yield "carried out", after, "OutcomeUncertain"
            yield "not carried out", state, "OutcomeUncertain"
            yield "delayed", later, "OutcomeUncertain"
        if call.method in FILE_CHANGES:
            yield "carried out", after, "TransientDeliveryError"
            yield "delayed", later, "TransientDeliveryError"

    def _next_call(self, worker: Worker) -> Call | None:
        if worker not in self._next_calls:
            delivery = self._deliver(self._claim_of(worker), self._ports)
            self._next_calls[worker] = call_after(delivery, worker.answers)
        return self._next_calls[worker]

    def _carry_out(self, state: State, call: Call) -> tuple[State, Answer]:
        if call.method == "look":
            return state, Answer(call.args[0] in state.files)
        if call.method == ARRIVED:
            return state, Answer(self._can_tell and call.args[0].final in state.files)
        if call.method == SEND:
            files = state.files | {call.args[0].final}
            return state._replace(files=files, published=state.published + 1), Answer()
        key = (state.record, state.files, call)
        if key not in self._effects:
            self._effects[key] = self._effect(state, call)
        record, files, answer = self._effects[key]
        published = call.method == "publish" and not answer.error
        after = state._replace(record=record, files=files, published=state.published + published)
        return after, answer

    def _effect(self, state: State, call: Call) -> Effect:
        twin, zone = self._world(state)
        try:
            value = result_of(carry_out(call, twin, zone))
        except WorkRefused as error:
            raise Violation(
                f"push refused {call.method}: {error}\n{self._way_to(state)}"
            ) from error
        except (LeaseLost, TokenGone, NameTaken) as error:
            return state.record, state.files, Answer(error=type(error).__name__)
        answer = Answer(tuple(value) if isinstance(value, list) else value)
        return twin.exports[state.record.id], frozenset(zone.files), answer

    def _world(self, state: State) -> tuple[WorkTwin, MemoryConnector]:
        twin = self._twin(max_attempts=self._max_attempts)
        twin.add(state.record)
        return twin, MemoryConnector(files=dict.fromkeys(state.files, b""))

    def _claim(self, state: State) -> State:
        twin, _ = self._world(state)
        if state.record.leased_until is not None:
            twin.run_out(state.record.id)
        claim = result_of(twin.claim_export(state.record.org_id, state.record.id))
        assert claim is not None
        self._claims.setdefault(claim.lease.fence, claim)
        worker = Worker(claim.lease.fence, claim.last_attempt, claim.staged_name)
        return state._replace(
            record=twin.exports[state.record.id],
            workers=(*state.workers, worker),
            claims_left=state.claims_left - 1,
        )

    def _claim_of(self, worker: Worker) -> Assignment:
        return replace(
            self._claims[worker.fence],
            last_attempt=worker.last_attempt,
            staged_name=worker.staged_name,
        )

    def _removable(self, state: State) -> frozenset[DropName]:
        key = (state.record, state.files)
        if key not in self._removables:
            twin, _ = self._world(state)
            ours = [parsed for name in state.files if (parsed := parse_drop_name(name))]
            self._removables[key] = result_of(twin.removable(state.record.org_id, ours))
        return self._removables[key]

    def _check(self, state: State) -> None:
        status, published = state.record.status, state.published
        self._require(published <= 1, state, "delivered twice")
        self._require(
            status is not ExportStatus.SENT or published == 1, state, "SENT without a delivery"
        )
        self._require(
            status is not ExportStatus.FAILED or published == 0, state, "FAILED but delivered"
        )
        key = (state.record, state.files, published)
        if key not in self._settled:
            self._settled[key] = self._settle(state)

    def _settle(self, state: State) -> ExportStatus:
        """Everybody dies and nothing fails any more: one worker and one sweep end it rightly."""
        calm = state._replace(workers=(), late=frozenset(), faults_left=0, claims_left=1)
        if calm.record.status is ExportStatus.PENDING:
            calm = self._claim(calm)
            while (call := self._next_call(calm.workers[0])) is not None:
                calm, answer = self._carry_out(calm, call)
                worker = calm.workers[0]
                calm = calm._replace(workers=(worker._replace(answers=(*worker.answers, answer)),))
        for name in self._removable(calm):
            calm = calm._replace(files=calm.files - {str(name)})
        status = calm.record.status
        if self._direct and status is ExportStatus.PENDING:
            error = calm.record.error
            unknown = error is not None and error.code == OUTCOME_UNKNOWN
            self._require(calm.record.held and unknown, state, "stays PENDING and is not held")
            return status
        left = calm.files - {calm.record.file_name}
        self._require(not left, state, f"files remain: {sorted(left)}")
        self._require(
            calm.published == (status is ExportStatus.SENT), state, f"settles wrongly as {status}"
        )
        self._require(status is not ExportStatus.PENDING, state, "stays PENDING")
        return status

    def _require(self, condition: bool, state: State, complaint: str) -> None:
        if not condition:
            raise Violation(f"{complaint}\n{self._way_to(state)}")

    def _way_to(self, state: State) -> str:
        # A state that `_settle` made up was not walked to; then only the complaint is told.
        steps: list[str] = []
        here: State | None = state if state in self._came_from else None
        while here is not None:
            here, step = self._came_from[here]
            steps.append(step)
        return "\n".join(f"{number:3} {step}" for number, step in enumerate(reversed(steps)))
