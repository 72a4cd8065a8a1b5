"""The audit trail, and the proof that nothing in it was altered."""

from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Query, Request, Response
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from countersign.audit.v1 import audit_service_pb2 as audit
from countersign_core.errors import CountersignError
from countersign_gateway.audit_download import LONGEST_SECONDS, AuditDownload
from countersign_gateway.audit_formats import END, WRITERS
from countersign_gateway.bodies.filters import (
    AuditChoice,
    AuditExportFilters,
    AuditFilters,
    ChainRange,
    export_events_request,
    list_events_request,
)
from countersign_gateway.replies.audit import (
    AuditPageReply,
    ChainVerdictReply,
    page_reply,
    verdict_reply,
)
from countersign_gateway.replies.responses import json_response
from countersign_gateway.route import GatewayRoute
from countersign_gateway.routes.parameters import Backends
from countersign_gateway.services import VERIFY_DEADLINE_SECONDS, ask
from countersign_platform.rpc.call import current_call

router = APIRouter(route_class=GatewayRoute, tags=["audit"])

_log = structlog.get_logger(__name__)

UP_TO_SEQ = "X-Audit-Up-To-Seq"

_EXPORT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": (
            "The events, as they stand when the call begins. JSON lines and CloudEvents end with "
            f"a record `{END}`; a download without it is incomplete. One that breaks ends without "
            "the last chunk; ask again with `after_seq`, which leaves CSV's first row out."
        ),
        "content": {
            "application/x-ndjson": {"schema": {"type": "string"}},
            "text/csv": {"schema": {"type": "string"}},
        },
        "headers": {
            UP_TO_SEQ: {
                "description": "The seq that the export goes up to.",
                "schema": {"type": "integer"},
            }
        },
    }
}


@router.get("/audit-log", response_model=AuditPageReply)
async def list_audit_events(
    filters: Annotated[AuditFilters, Query()], services: Backends
) -> Response:
    """List audit events, newest first."""
    page = await ask(services.audit.ListEvents, list_events_request(filters))
    return json_response(page_reply(page))


@router.get("/audit-log/export", responses=_EXPORT, response_class=StreamingResponse)
async def export_audit_events(
    request: Request, filters: Annotated[AuditExportFilters, Query()], services: Backends
) -> StreamingResponse:
    """Stream audit events, oldest first: all of them, or those that fit."""
    org_id = str(current_call().org_id)
    message = export_events_request(filters)
    writer = WRITERS[filters.format]
    facts = {"org_id": org_id, "filters": _given(filters), "after_seq": filters.after_seq}
    call = services.audit.ExportEvents(message, timeout=LONGEST_SECONDS)
    download = AuditDownload(call, writer, facts, request.app.state.drain)
    up_to_seq = await download.opened()
    name = f"audit-{org_id}-{filters.after_seq + 1}-{up_to_seq}.{writer.extension}"
    return _Download(download, writer.media_type, name, up_to_seq)


@router.get("/audit-log/verify", response_model=ChainVerdictReply)
async def verify_audit_chain(
    stretch: Annotated[ChainRange, Query()], services: Backends
) -> Response:
    """Recompute the org's chain; names the first link that does not hold."""
    request = audit.VerifyChainRequest(from_seq=stretch.from_seq, to_seq=stretch.to_seq)
    verdict = await ask(services.audit.VerifyChain, request, seconds=VERIFY_DEADLINE_SECONDS)
    return json_response(verdict_reply(verdict))


class _Download(StreamingResponse):
    """Gives the service's stream up as soon as the caller is gone."""

    def __init__(self, download: AuditDownload, media_type: str, name: str, up_to_seq: int) -> None:
        headers = {
            "Content-Disposition": f'attachment; filename="{name}"',
            UP_TO_SEQ: str(up_to_seq),
            # Else a proxy may collect the file before it passes it on.
            "X-Accel-Buffering": "no",
        }
        super().__init__(download.chunks(), media_type=media_type, headers=headers)
        self._download = download

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except CountersignError as error:
            # The response is not completed, so the server cuts the connection.
            _log.warning("audit_download_broken", reason=error.reason.value)
        finally:
            self._download.close()


def _given(filters: AuditExportFilters) -> dict[str, Any]:
    """The filters that filter, in the words of the query."""
    chosen = filters.model_dump(mode="json", include=set(AuditChoice.model_fields))
    return {name: value for name, value in chosen.items() if value}
