"""PushService on the wire: messages in, commands, messages out."""

# Method names and signatures are gRPC's.
# ruff: noqa: ARG002, N802

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from countersign.push.v1 import export_pb2, push_service_pb2, push_service_pb2_grpc
from countersign_core.errors import CountersignError, FieldError, InvalidRequest
from countersign_core.lifecycle import ExportStatus
from countersign_platform.rpc.call import current_call
from countersign_platform.rpc.problem import problem_of
from countersign_push.commands.batch_push import BatchPush
from countersign_push.commands.export_document import GetExportDocument
from countersign_push.commands.export_statistics import GetExportStatistics
from countersign_push.commands.get_export import GetExport
from countersign_push.commands.intervene import CancelExport, ExpediteExport
from countersign_push.commands.list_exports import ListExports
from countersign_push.commands.preview_export import PreviewExport
from countersign_push.commands.push_draft import PushDraft
from countersign_push.commands.resolve_export import ResolveExport
from countersign_push.commands.retry_push import RetryPush
from countersign_push.export_figures import Stretch
from countersign_push.export_filters import ExportFilters
from countersign_push.plain_text import plain
from countersign_push.push_intent import PushIntent, PushResult
from countersign_push.pusher import Answer
from countersign_push.servicers.statistics_messages import statistics_message

_pb = push_service_pb2


@dataclass(frozen=True, slots=True)
class PushCommands:
    """What the servicer calls."""

    push: PushDraft
    retry: RetryPush
    batch: BatchPush
    get: GetExport
    list: ListExports
    statistics: GetExportStatistics
    preview: PreviewExport
    expedite: ExpediteExport
    cancel: CancelExport
    document: GetExportDocument
    resolve: ResolveExport


class PushServicer(push_service_pb2_grpc.PushServiceServicer):
    """Each RPC as the contract says; protovalidate has run before."""

    def __init__(self, commands: PushCommands) -> None:
        self._commands = commands

    async def PushDraft(self, request: _pb.PushDraftRequest, context: Any) -> _pb.PushDraftResponse:
        """APPROVED → PUSHING."""
        return _pushed(await self._commands.push(current_call(), _intent(request)))

    async def RetryPush(self, request: _pb.RetryPushRequest, context: Any) -> _pb.RetryPushResponse:
        """ERROR → PUSHING."""
        result = await self._commands.retry(current_call(), _intent(request, plain(request.reason)))
        return _pb.RetryPushResponse(
            erp_export_id=str(result.export_id), outcome=_outcome(result), replayed=result.replayed
        )

    async def BatchPushDrafts(
        self, request: _pb.BatchPushDraftsRequest, context: Any
    ) -> _pb.BatchPushDraftsResponse:
        """Many pushes, a result each."""
        intents = [_intent(item) for item in request.items]
        answers = await self._commands.batch(current_call(), intents)
        results = map(_batch_result, intents, answers)
        return _pb.BatchPushDraftsResponse(results=results)

    async def GetExport(self, request: _pb.GetExportRequest, context: Any) -> _pb.GetExportResponse:
        """One export."""
        export = await self._commands.get(current_call(), UUID(request.erp_export_id))
        return _pb.GetExportResponse(export=export.to_message())

    async def ListExports(
        self, request: _pb.ListExportsRequest, context: Any
    ) -> _pb.ListExportsResponse:
        """A page of exports."""
        page = await self._commands.list(
            current_call(), _filters(request), request.page_size, request.page_token
        )
        return _pb.ListExportsResponse(
            exports=[export.to_message() for export in page.exports],
            next_page_token=page.next_page_token,
        )

    async def GetExportStatistics(
        self, request: _pb.GetExportStatisticsRequest, context: Any
    ) -> _pb.GetExportStatisticsResponse:
        """Sums over exports."""
        found = await self._commands.statistics(current_call(), _stretch(request))
        return statistics_message(found)

    async def PreviewExport(
        self, request: _pb.PreviewExportRequest, context: Any
    ) -> _pb.PreviewExportResponse:
        """The document of a push."""
        preview = await self._commands.preview(current_call(), UUID(request.draft_order_id))
        return _pb.PreviewExportResponse(
            document=preview.document, content_sha256=preview.content_sha256.hex()
        )

    async def ExpediteExport(
        self, request: _pb.ExpediteExportRequest, context: Any
    ) -> _pb.ExpediteExportResponse:
        """A waiting export is tried now."""
        export = await self._commands.expedite(
            current_call(), UUID(request.erp_export_id), plain(request.reason)
        )
        return _pb.ExpediteExportResponse(export=export.to_message())

    async def CancelExport(
        self, request: _pb.CancelExportRequest, context: Any
    ) -> _pb.CancelExportResponse:
        """A waiting export is taken back."""
        export = await self._commands.cancel(
            current_call(), UUID(request.erp_export_id), plain(request.reason)
        )
        return _pb.CancelExportResponse(export=export.to_message())

    async def GetExportDocument(
        self, request: _pb.GetExportDocumentRequest, context: Any
    ) -> _pb.GetExportDocumentResponse:
        """The exact bytes of an export."""
        found = await self._commands.document(current_call(), UUID(request.erp_export_id))
        return _pb.GetExportDocumentResponse(
            document=found.document,
            document_sha256=(found.export.document_sha256 or b"").hex(),
            file_name=found.export.file_name,
            source=_pb.DocumentSource.Value(f"DOCUMENT_SOURCE_{found.source}"),
        )

    async def ResolveExport(
        self, request: _pb.ResolveExportRequest, context: Any
    ) -> _pb.ResolveExportResponse:
        """An administrator's word on a held export."""
        export = await self._commands.resolve(
            current_call(),
            UUID(request.erp_export_id),
            delivered=request.delivered,
            reason=plain(request.reason),
        )
        return _pb.ResolveExportResponse(export=export.to_message())


def _intent(request: _pb.PushDraftRequest | _pb.RetryPushRequest, reason: str = "") -> PushIntent:
    versioned = request.HasField("expected_version")
    return PushIntent(
        draft_id=UUID(request.draft_order_id),
        expected_version=request.expected_version if versioned else None,
        connection_id=_optional_id(request.erp_connection_id),
        reason=reason,
    )


def _pushed(result: PushResult) -> _pb.PushDraftResponse:
    return _pb.PushDraftResponse(
        erp_export_id=str(result.export_id), outcome=_outcome(result), replayed=result.replayed
    )


def _outcome(result: PushResult) -> "_pb.PushOutcome.ValueType":
    if not result.replayed:
        return _pb.PUSH_OUTCOME_PUSHING
    if result.status is ExportStatus.PENDING:
        return _pb.PUSH_OUTCOME_IN_PROGRESS
    return _pb.PushOutcome.Value(f"PUSH_OUTCOME_{result.status}")


def _batch_result(intent: PushIntent, answer: Answer) -> _pb.BatchPushResult:
    draft = str(intent.draft_id)
    if isinstance(answer, CountersignError):
        return _pb.BatchPushResult(draft_order_id=draft, problem=problem_of(answer))
    return _pb.BatchPushResult(draft_order_id=draft, pushed=_pushed(answer))


def _filters(request: _pb.ListExportsRequest) -> ExportFilters:
    names = map(export_pb2.ExportStatus.Name, request.statuses)
    return ExportFilters(
        statuses=tuple(ExportStatus(name.removeprefix("EXPORT_STATUS_")) for name in names),
        draft_id=_optional_id(request.draft_order_id),
        stuck_for_seconds=request.stuck_for_seconds,
        held=request.held,
        created_from=_moment(request, "created_from"),
        created_to=_moment(request, "created_to"),
        connection_id=_optional_id(request.erp_connection_id),
        ack_overdue=request.ack_overdue,
        retrying=request.retrying,
        error_code=request.error_code,
        draft_ids=tuple(UUID(each) for each in request.draft_order_ids),
        newest_of_draft=request.newest_of_draft,
    )


def _stretch(request: _pb.GetExportStatisticsRequest) -> Stretch:
    start, end = _moment(request, "created_from"), _moment(request, "created_to")
    assert start is not None  # the contract requires both
    assert end is not None
    return Stretch(start, end, request.time_zone or "UTC")


def _moment(
    request: _pb.ListExportsRequest | _pb.GetExportStatisticsRequest,
    field: Literal["created_from", "created_to"],
) -> datetime | None:
    if not request.HasField(field):
        return None
    try:
        return getattr(request, field).ToDatetime(UTC)  # type: ignore[no-any-return] # Timestamp
    except (ValueError, OverflowError) as error:
        outside = FieldError(field, "must be a time in the years 1 to 9999")
        raise InvalidRequest([outside]) from error


def _optional_id(value: str) -> UUID | None:
    return UUID(value) if value else None
