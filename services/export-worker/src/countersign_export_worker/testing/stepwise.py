"""A delivery, run one call at a time by whoever holds the answers.

Each call of a port is handed out instead of being carried out. Where a delivery stands is a
function of the answers it got, so it can be brought there again at any time.
"""

from collections.abc import Callable, Coroutine, Generator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from countersign_export_worker.assignment import Assignment
from countersign_export_worker.delivery import Delivery, Outcome
from countersign_export_worker.errors import (
    LeaseLost,
    NameTaken,
    OutcomeUncertain,
    PermanentDeliveryError,
    TokenGone,
    TransientDeliveryError,
    WorkUnavailable,
)
from countersign_export_worker.file_names import DropName
from countersign_export_worker.ports import ErpConnectorPort, ReportPort, Whereabouts
from countersign_export_worker.reports import PersistentReports

# Methods by kind; those of ReportPort without their "report_".
REPORTS = frozenset({"staged", "sent", "failed", "deferred", "held"})
FILE_CHANGES = frozenset({"stage", "publish", "withdraw", "discard"})
# The one step of a direct connector, and the question whether it was taken.
SEND, ARRIVED = "send", "has_arrived"

_ERRORS: dict[str, Callable[[], Exception]] = {
    "LeaseLost": LeaseLost,
    "WorkUnavailable": WorkUnavailable,
    "TokenGone": lambda: TokenGone("gone"),
    "NameTaken": lambda: NameTaken("name"),
    "TransientDeliveryError": lambda: TransientDeliveryError("IO_ERROR", "transient"),
    "OutcomeUncertain": lambda: OutcomeUncertain("nobody knows"),
    "PermanentDeliveryError": lambda: PermanentDeliveryError("PERMISSION_DENIED", "permanent"),
}


class Call(NamedTuple):
    """A port's method and its arguments."""

    method: str
    args: tuple[Any, ...]


class Answer(NamedTuple):
    """What a call answered: a value, or the name of an error."""

    value: Any = None
    error: str = ""


class Ports:
    """Both ports of a delivery; each call is handed to whoever drives the coroutine."""

    def __init__(self, *, is_direct: bool = False) -> None:
        self.is_direct = is_direct

    def __getattr__(self, name: str) -> Callable[..., Coroutine[Any, Any, Any]]:
        """Any method of ReportPort or ErpConnectorPort."""
        method = name.removeprefix("report_")

        async def call(*args: Any, **options: Any) -> Any:
            return await _Asked(Call(method, (*args, *options.values())))

        return call

    async def removable(self, org_id: Any, names: list[DropName]) -> Any:
        """Hashable arguments."""
        return await _Asked(Call("removable", (org_id, tuple(names))))

    async def trace(self, staged: DropName) -> Whereabouts:
        """One look at a time: others may rename in between."""
        for name, whereabouts in (
            (str(staged), Whereabouts.STAGED),
            (str(staged.taken_back()), Whereabouts.WITHDRAWN),
            (staged.final, Whereabouts.PUBLISHED),
        ):
            if await _Asked(Call("look", (name,))):
                return whereabouts
        return Whereabouts.GONE


@dataclass
class _Asked:
    call: Call

    def __await__(self) -> Generator[Call, Any, Any]:
        return (yield self.call)


Deliver = Callable[[Assignment, Any], Coroutine[Any, Any, Outcome]]


def deliver_as(variant: type[Delivery]) -> Deliver:
    """How `variant` delivers: what stands between it and the ports is as in the worker."""

    def deliver(claim: Assignment, ports: Any) -> Coroutine[Any, Any, Outcome]:
        return variant(
            claim,
            connector=ports,
            reports=PersistentReports(ports, pause=_no_pause),
            check_document=lambda _: None,
        ).run()

    return deliver


async def _no_pause(_seconds: float) -> None:
    """When something is repeated is for the caller to choose."""


def call_after(delivery: Coroutine[Any, Any, Outcome], answers: Sequence[Answer]) -> Call | None:
    """The call that a delivery makes after these answers; None when it has ended."""
    try:
        call: Call = delivery.send(None)
        for answer in answers:
            if answer.error:
                call = delivery.throw(_ERRORS[answer.error]())
            else:
                call = delivery.send(answer.value)
    except StopIteration:
        return None
    delivery.close()
    return call


def carry_out(
    call: Call, work: ReportPort, connector: ErpConnectorPort
) -> Coroutine[Any, Any, Any]:
    """The call, made at last."""
    if call.method == "failed":
        lease, error, withdrawn = call.args
        return work.report_failed(lease, error, withdrawn=withdrawn)
    if call.method == "deferred":
        lease, error, withdrawn = call.args
        return work.report_deferred(lease, error, withdrawn=withdrawn)
    target: object = work if call.method in REPORTS or call.method == "removable" else connector
    name = f"report_{call.method}" if call.method in REPORTS else call.method
    result: Coroutine[Any, Any, Any] = getattr(target, name)(*call.args)
    return result


def result_of(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("the twin waited")
