"""WorkService.BatchReport: each report as by its own call, and no one waits long for another."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import structlog

from countersign.push.v1 import work_service_pb2 as pb
from countersign_core.errors import CountersignError, Unavailable
from countersign_core.reasons import Reason
from countersign_platform.rpc.problem import problem_of

_log = structlog.get_logger(__name__)

# How much longer than the first report another may take. Then it is answered as UNAVAILABLE; it
# may still come to be.
_LONGER_SECONDS = 1.0

_Handler = Callable[[Any, Any], Awaitable[Any]]


class BatchReport:
    """Carries out reports side by side."""

    def __init__(self, reports: Any) -> None:
        """`reports`: a WorkService with the call of each report."""
        self._handlers: dict[str, _Handler] = {
            "staged": reports.ReportStaged,
            "sent": reports.ReportSent,
            "failed": reports.ReportFailed,
            "deferred": reports.ReportDeferred,
            "held": reports.ReportHeld,
        }

    async def __call__(
        self, items: Iterable[pb.BatchReportItem], context: Any
    ) -> list[pb.BatchReportResult]:
        """A result per item, in their order."""
        reporting = [asyncio.create_task(self._report(item, context)) for item in items]
        try:
            _, late = await asyncio.wait(reporting, return_when=asyncio.FIRST_COMPLETED)
            if late:
                await asyncio.wait(late, timeout=_LONGER_SECONDS)
            return [_result(task.result() if task.done() else _too_long()) for task in reporting]
        finally:
            for task in reporting:
                task.cancel()

    async def _report(self, item: pb.BatchReportItem, context: Any) -> CountersignError | None:
        kind = item.WhichOneof("report")
        assert kind is not None  # a rule of the contract
        try:
            await self._handlers[kind](getattr(item, kind), context)
        except CountersignError as error:
            _log.info("report_refused", report=kind, reason=error.reason)
            return error
        except Exception as error:  # noqa: BLE001 — a defect met by one is not the others'
            _log.error("report_failed", report=kind, exc_info=error)
            return CountersignError(Reason.INTERNAL, "Internal error")
        return None


def _result(error: CountersignError | None) -> pb.BatchReportResult:
    return pb.BatchReportResult(problem=None if error is None else problem_of(error))


def _too_long() -> CountersignError:
    return Unavailable("It takes too long beside the others")
