"""Reports that wait at the same time travel in one call, each with an answer of its own.

A report alone goes by its own call. What a batch does not settle is reported once more by itself:
a push that is older knows no batches, one that is away answers nobody, and a report that is slow
or malformed shall not hold up the others.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from countersign.push.v1 import work_service_pb2 as pb
from countersign.push.v1 import work_service_pb2_grpc as pb_grpc
from countersign_core.errors import CountersignError
from countersign_export_worker.errors import WorkError, WorkUnavailable
from countersign_platform.rpc.problem import error_of
from countersign_platform.shared_calls import AskApart, SharedCalls

Call = Callable[[Any, Any], Awaitable[Any]]


class ReportCalls:
    """Brings reports to push."""

    def __init__(
        self,
        stub: pb_grpc.WorkServiceStub,
        call: Call,
        work_error: Callable[[CountersignError], WorkError],
    ) -> None:
        """`call` takes one of the stub's methods and a request, and raises WorkError."""
        self._stub = stub
        self._call = call
        self._work_error = work_error
        # What is to be renamed does not wait for the end of what was.
        self._staged = SharedCalls(self._alone, self._together)
        self._calls = SharedCalls(self._alone, self._together)
        self._methods = {
            "staged": stub.ReportStaged,
            "sent": stub.ReportSent,
            "failed": stub.ReportFailed,
            "deferred": stub.ReportDeferred,
            "held": stub.ReportHeld,
        }

    async def report(self, item: pb.BatchReportItem) -> None:
        """Put it on record.

        Raises:
            WorkError: as the call of that report.
        """
        calls = self._staged if item.HasField("staged") else self._calls
        await calls.ask(item)

    async def _alone(self, item: pb.BatchReportItem) -> None:
        kind = item.WhichOneof("report")
        assert kind is not None
        await self._call(self._methods[kind], getattr(item, kind))

    async def _together(self, items: Sequence[pb.BatchReportItem]) -> Sequence[Exception | None]:
        try:
            reply = await self._call(self._stub.BatchReport, pb.BatchReportRequest(items=items))
        except WorkError as error:
            raise AskApart from error
        return [self._answer(result) for result in reply.results]

    def _answer(self, result: pb.BatchReportResult) -> Exception | None:
        if not result.HasField("problem"):
            return None
        error = self._work_error(error_of(result.problem))
        return AskApart() if isinstance(error, WorkUnavailable) else error
