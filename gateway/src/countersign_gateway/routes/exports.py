# ruff: noqa: FAST003 — `{id}` is read under a name that says whose id it is
"""Exports: what is on its way, what is stuck, and the document itself."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from countersign.push.v1 import push_service_pb2 as pushes
from countersign_gateway.bodies.filters import ExportFilters, list_exports_request
from countersign_gateway.bodies.settlements import ResolveBody, resolve_request
from countersign_gateway.replies.exports import (
    ExportPageReply,
    ExportReply,
    export_reply,
    page_reply,
)
from countersign_gateway.replies.responses import json_response
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


@router.get("/erp-exports/{id}", response_model=ExportReply)
async def get_export(export_id: ExportId, services: Backends) -> Response:
    """One export."""
    request = pushes.GetExportRequest(erp_export_id=str(export_id))
    return json_response(export_reply((await ask(services.push.GetExport, request)).export))


@router.post("/erp-exports/{id}/resolve", response_model=ExportReply)
async def resolve_export(export_id: ExportId, body: ResolveBody, services: Backends) -> Response:
    """Settle by hand an export whose outcome is unknown. Administrators only; on record."""
    request = resolve_request(export_id, body)
    return json_response(export_reply((await ask(services.push.ResolveExport, request)).export))
