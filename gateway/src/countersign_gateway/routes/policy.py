"""The org's approval policy."""

from fastapi import APIRouter, Response
from pydantic import with_config
from typing_extensions import TypedDict

from countersign.approval.v1 import approval_service_pb2 as approvals
from countersign_gateway.bodies.settlements import PolicyBody, policy_request
from countersign_gateway.replies.responses import json_response
from countersign_gateway.replies.values import DOCUMENTED, text
from countersign_gateway.route import GatewayRoute
from countersign_gateway.routes.parameters import Backends
from countersign_gateway.services import ask

router = APIRouter(route_class=GatewayRoute, tags=["approval policy"])


@with_config(DOCUMENTED)
class PolicyReply(TypedDict):
    """The approval policy."""

    four_eyes_above: str | None
    """Orders of more than this value need a second person; null means none does."""


@router.get("/approval-policy", response_model=PolicyReply)
async def get_approval_policy(services: Backends) -> Response:
    """The org's approval policy."""
    request = approvals.GetApprovalPolicyRequest()
    policy = await ask(services.approval.GetApprovalPolicy, request)
    return _policy(policy.four_eyes_above)


@router.put("/approval-policy", response_model=PolicyReply)
async def set_approval_policy(body: PolicyBody, services: Backends) -> Response:
    """Replace the org's approval policy. Administrators only. Idempotent."""
    policy = await ask(services.approval.SetApprovalPolicy, policy_request(body))
    return _policy(policy.four_eyes_above)


def _policy(four_eyes_above: str) -> Response:
    reply: PolicyReply = {"four_eyes_above": text(four_eyes_above)}
    return json_response(reply)
