# ruff: noqa: FAST003 — `{id}` is read under a name that says whose id it is
"""Approve and push: the hot routes, read by hand, and their batches."""

from typing import Any, cast
from uuid import UUID

from fastapi import APIRouter, Request, Response

from countersign.approval.v1 import approval_service_pb2 as approvals
from countersign.push.v1 import push_service_pb2 as pushes
from countersign_core.errors import CountersignError, FieldError, InvalidRequest
from countersign_gateway.bodies.pushes import (
    BatchApproveBody,
    BatchPushBody,
    NoBody,
    PushBody,
    RetryBody,
    batch_approve_request,
    batch_push_request,
    push_request,
    retry_request,
)
from countersign_gateway.exchange import exchange_of
from countersign_gateway.headers import expected_version_from, idempotency_metadata
from countersign_gateway.lean_input import optional_body
from countersign_gateway.problems import problem_of
from countersign_gateway.replies.problem import ProblemReply
from countersign_gateway.replies.pushes import (
    ApproveReply,
    BatchApproveReply,
    BatchPushReply,
    ProblemOf,
    PushReply,
    PushStatus,
    approve_reply,
    batch_approve_result,
    batch_push_result,
    push_reply,
)
from countersign_gateway.replies.responses import json_response
from countersign_gateway.route import GatewayRoute, LeanRoute
from countersign_gateway.routes.lean_docs import lean_docs
from countersign_gateway.routes.parameters import Backends
from countersign_gateway.services import BATCH_DEADLINE_SECONDS, ask, services_of

lean = APIRouter(route_class=LeanRoute, tags=["approve and push"])
batches = APIRouter(route_class=GatewayRoute, tags=["approve and push"])

_REPLAYED = {
    "Idempotent-Replayed": {
        "description": "`true` when an earlier call with the same key made the export.",
        "schema": {"type": "string", "const": "true"},
    }
}
_PUSHED: dict[int | str, dict[str, Any]] = {
    200: {"headers": _REPLAYED, "description": "Pushed; or a replay, and where the export stands"},
    202: {
        "headers": _REPLAYED,
        "description": "Replay: the export is still PENDING",
        "model": PushReply,
    },
}
_Pushed = pushes.PushDraftResponse | pushes.RetryPushResponse


@lean.post(
    "/draft-orders/{id}/approve", response_model=ApproveReply, openapi_extra=lean_docs(NoBody)
)
async def approve_draft(request: Request) -> Response:
    """Approve what you saw: READY → APPROVED, with the digest of the content."""
    await optional_body(request, NoBody)
    message = approvals.ApproveDraftRequest(
        draft_order_id=str(_draft_id(request)), expected_version=_expected_version(request)
    )
    approved = await ask(services_of(request).approval.ApproveDraft, message)
    return json_response(approve_reply(approved), version=approved.version)


@lean.post(
    "/draft-orders/{id}/push",
    response_model=PushReply,
    responses=_PUSHED,
    openapi_extra=lean_docs(PushBody, keyed=True),
)
async def push_draft(request: Request) -> Response:
    """Push an approved draft order to the ERP: exactly one export, however often you ask.

    The same request with the same key within 24 hours answers the same export, with
    `Idempotent-Replayed: true`.
    """
    body = await optional_body(request, PushBody)
    message = push_request(_draft_id(request), _expected_version(request), body)
    push = services_of(request).push.PushDraft
    pushed = await ask(push, message, metadata=_keys(request))
    return _pushed(pushed)


@lean.post(
    "/draft-orders/{id}/retry-push",
    response_model=PushReply,
    responses=_PUSHED,
    openapi_extra=lean_docs(RetryBody, keyed=True),
)
async def retry_push(request: Request) -> Response:
    """Push a draft order again whose export failed: a new export. Key as for a push."""
    body = await optional_body(request, RetryBody)
    message = retry_request(_draft_id(request), _expected_version(request), body)
    retry = services_of(request).push.RetryPush
    pushed = await ask(retry, message, metadata=_keys(request))
    return _pushed(pushed)


@batches.post("/draft-orders/batch-approve", response_model=BatchApproveReply)
async def batch_approve(request: Request, body: BatchApproveBody, services: Backends) -> Response:
    """Approve up to 500 draft orders; each has its own result."""
    message = batch_approve_request(body)
    batch = services.approval.BatchApproveDrafts
    answer = await ask(batch, message, seconds=BATCH_DEADLINE_SECONDS)
    problem = _problem_of(request)
    results = [batch_approve_result(each, problem) for each in answer.results]
    return json_response({"results": results})


@batches.post("/draft-orders/batch-push", response_model=BatchPushReply)
async def batch_push(request: Request, body: BatchPushBody, services: Backends) -> Response:
    """Push up to 500 draft orders; each has its own result. A key covers each draft."""
    message = batch_push_request(body)
    batch = services.push.BatchPushDrafts
    answer = await ask(batch, message, seconds=BATCH_DEADLINE_SECONDS, metadata=_keys(request))
    problem = _problem_of(request)
    results = [batch_push_result(each, problem) for each in answer.results]
    return json_response({"results": results})


def _pushed(reply: _Pushed) -> Response:
    body = push_reply(reply)
    status = 202 if body["status"] is PushStatus.IN_PROGRESS else 200
    replayed = {"Idempotent-Replayed": "true"} if reply.replayed else {}
    return json_response(body, status=status, headers=replayed)


def _draft_id(request: Request) -> UUID:
    try:
        return UUID(request.path_params["id"])
    except ValueError:
        raise InvalidRequest([FieldError("id", "must be a UUID")]) from None


def _expected_version(request: Request) -> int | None:
    return expected_version_from(request.headers.getlist("if-match"))


def _keys(request: Request) -> list[tuple[str, str]]:
    return idempotency_metadata(request.headers.getlist("idempotency-key"))


def _problem_of(request: Request) -> ProblemOf:
    exchange = exchange_of(request.scope)

    def problem(draft_id: str, error: CountersignError) -> ProblemReply:
        instance = f"/draft-orders/{draft_id}"
        document = problem_of(error, instance=instance, request_id=exchange.request_id)
        return cast("ProblemReply", document)

    return problem
