# ruff: noqa: FAST003 — `{id}` is read under a name that says whose id it is
"""Exports: what is on its way, what is stuck, and the document itself."""

import base64
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from countersign.push.v1 import push_service_pb2 as pushes
from countersign_gateway.bodies.filters import ExportFilters, list_exports_request
from countersign_gateway.bodies.settlements import (
    CancelBody,
    ExpediteBody,
    ResolveBody,
    resolve_request,
)
from countersign_gateway.bodies.statistics import StatisticsStretch, statistics_request
from countersign_gateway.replies.exports import (
    ExportPageReply,
    ExportReply,
    export_reply,
    page_reply,
)
from countersign_gateway.replies.responses import json_response
from countersign_gateway.replies.statistics import StatisticsReply, statistics_reply
from countersign_gateway.route import GatewayRoute
from countersign_gateway.routes.parameters import Backends, DraftId, ExportId
from countersign_gateway.services import ask

router = APIRouter(route_class=GatewayRoute, tags=["exports"])

_DOCUMENT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The document, schema orderflow_export_json_v1",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}
_SOURCES = {
    pushes.DOCUMENT_SOURCE_UNSPECIFIED: "unknown",
    pushes.DOCUMENT_SOURCE_ARCHIVE: "archive",
    pushes.DOCUMENT_SOURCE_REBUILT: "rebuilt",
}


@router.get("/draft-orders/{id}/export-preview", responses=_DOCUMENT)
async def preview_export(draft_id: DraftId, services: Backends) -> Response:
    """The very document that a push would deliver."""
    request = pushes.PreviewExportRequest(draft_order_id=str(draft_id))
    preview = await ask(services.push.PreviewExport, request)
    return Response(preview.document, media_type="application/json")


@router.get("/erp-exports", response_model=ExportPageReply)
async def list_exports(filters: Annotated[ExportFilters, Query()], services: Backends) -> Response:
    """List exports, newest first."""
    page = await ask(services.push.ListExports, list_exports_request(filters))
    return json_response(page_reply(page))


@router.get("/erp-exports/statistics", response_model=StatisticsReply)
async def get_statistics(
    stretch: Annotated[StatisticsStretch, Query()], services: Backends
) -> Response:
    """Sums of what was pushed, by day and by connection, and of what waits now."""
    found = await ask(services.push.GetExportStatistics, statistics_request(stretch))
    return json_response(statistics_reply(found))


@router.get("/erp-exports/{id}", response_model=ExportReply)
async def get_export(export_id: ExportId, services: Backends) -> Response:
    """One export."""
    request = pushes.GetExportRequest(erp_export_id=str(export_id))
    return json_response(export_reply((await ask(services.push.GetExport, request)).export))


@router.get("/erp-exports/{id}/document", responses=_DOCUMENT)
async def get_document(export_id: ExportId, services: Backends) -> Response:
    """The exact bytes that were written to the dropzone, with their SHA-256.

    `X-Document-Source` says where they were found: `archive`, or `rebuilt` from the approved
    content. Either way their digest is the one on record.
    """
    request = pushes.GetExportDocumentRequest(erp_export_id=str(export_id))
    found = await ask(services.push.GetExportDocument, request)
    digest = base64.b64encode(bytes.fromhex(found.document_sha256)).decode()
    headers = {
        "ETag": f'"{found.document_sha256}"',
        "Content-Digest": f"sha-256=:{digest}:",
        "Content-Disposition": f'attachment; filename="{found.file_name}"',
        "X-Document-SHA256": found.document_sha256,
        "X-Document-Source": _SOURCES[found.source],
    }
    return Response(found.document, headers=headers, media_type="application/json")


@router.post("/erp-exports/{id}/expedite", response_model=ExportReply)
async def expedite_export(
    export_id: ExportId, services: Backends, body: ExpediteBody | None = None
) -> Response:
    """Have a waiting export tried now. Idempotent."""
    request = pushes.ExpediteExportRequest(
        erp_export_id=str(export_id), reason=body.reason if body else ""
    )
    return json_response(export_reply((await ask(services.push.ExpediteExport, request)).export))


@router.post("/erp-exports/{id}/cancel", response_model=ExportReply)
async def cancel_export(export_id: ExportId, body: CancelBody, services: Backends) -> Response:
    """End a waiting export without delivering it: at once, or once its file was taken back."""
    request = pushes.CancelExportRequest(erp_export_id=str(export_id), reason=body.reason)
    return json_response(export_reply((await ask(services.push.CancelExport, request)).export))


@router.post("/erp-exports/{id}/resolve", response_model=ExportReply)
async def resolve_export(export_id: ExportId, body: ResolveBody, services: Backends) -> Response:
    """Settle by hand an export whose outcome is unknown. Administrators only; on record."""
    request = resolve_request(export_id, body)
    return json_response(export_reply((await ask(services.push.ResolveExport, request)).export))
