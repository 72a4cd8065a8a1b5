"""What the audit service has signed about the trail, and whether the trail is held."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from countersign.audit.v1 import seal_service_pb2 as seals
from countersign_gateway.bodies.filters import SealPage
from countersign_gateway.bodies.settlements import LegalHoldBody
from countersign_gateway.replies.responses import json_response
from countersign_gateway.replies.seals import (
    LegalHoldReply,
    SealKeysReply,
    SealPageReply,
    hold_reply,
    keys_reply,
    seal_page_reply,
)
from countersign_gateway.route import GatewayRoute
from countersign_gateway.routes.parameters import Backends
from countersign_gateway.services import ask

router = APIRouter(route_class=GatewayRoute, tags=["audit"])


@router.get("/audit-log/checkpoints", response_model=SealPageReply)
async def list_audit_checkpoints(
    page: Annotated[SealPage, Query()], services: Backends
) -> Response:
    """List signed checkpoints and tombstones, oldest first."""
    request = seals.ListCheckpointsRequest(
        page_size=page.page_size, page_token=page.page_token or ""
    )
    return json_response(seal_page_reply(await ask(services.seals.ListCheckpoints, request)))


@router.get("/audit-log/keys", response_model=SealKeysReply)
async def list_audit_keys(services: Backends) -> Response:
    """Public keys of checkpoints and tombstones, as a JSON Web Key Set."""
    found = await ask(services.seals.ListSealKeys, seals.ListSealKeysRequest())
    return json_response(keys_reply(found))


@router.get("/audit-log/legal-hold", response_model=LegalHoldReply)
async def get_legal_hold(services: Backends) -> Response:
    """Whether the org's audit trail is held."""
    answer = await ask(services.seals.GetLegalHold, seals.GetLegalHoldRequest())
    return json_response(hold_reply(answer.hold))


@router.put("/audit-log/legal-hold", response_model=LegalHoldReply)
async def set_legal_hold(body: LegalHoldBody, services: Backends) -> Response:
    """Hold the org's audit trail, or end the hold. Administrators only. Idempotent."""
    request = seals.SetLegalHoldRequest(held=body.held, reason=body.reason)
    answer = await ask(services.seals.SetLegalHold, request)
    return json_response(hold_reply(answer.hold))
