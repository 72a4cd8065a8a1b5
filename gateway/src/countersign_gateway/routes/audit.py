"""The audit trail, and the proof that nothing in it was altered."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from countersign.audit.v1 import audit_service_pb2 as audit
from countersign_gateway.bodies.filters import AuditFilters, ChainRange, list_events_request
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

router = APIRouter(route_class=GatewayRoute, tags=["audit"])


@router.get("/audit-log", response_model=AuditPageReply)
async def list_audit_events(
    filters: Annotated[AuditFilters, Query()], services: Backends
) -> Response:
    """List audit events, newest first."""
    page = await ask(services.audit.ListEvents, list_events_request(filters))
    return json_response(page_reply(page))


@router.get("/audit-log/verify", response_model=ChainVerdictReply)
async def verify_audit_chain(
    stretch: Annotated[ChainRange, Query()], services: Backends
) -> Response:
    """Recompute the org's chain; names the first link that does not hold."""
    request = audit.VerifyChainRequest(from_seq=stretch.from_seq, to_seq=stretch.to_seq)
    verdict = await ask(services.audit.VerifyChain, request, seconds=VERIFY_DEADLINE_SECONDS)
    return json_response(verdict_reply(verdict))
