# ruff: noqa: FAST003 — `{id}` is read under a name that says whose id it is
"""Draft orders: submit, list, look at, edit, check, reject."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import TypeAdapter

from countersign.approval.v1 import approval_service_pb2 as approvals
from countersign.approval.v1 import draft_pb2 as drafts
from countersign_gateway.bodies.drafts import SubmitBody, submit_request
from countersign_gateway.bodies.edits import (
    EditBody,
    EditLineBody,
    edit_line_request,
    edit_request,
)
from countersign_gateway.bodies.filters import DraftCriteria, DraftFilters, count_drafts_request
from countersign_gateway.bodies.pushes import RejectBody
from countersign_gateway.draft_detail import draft_detail
from countersign_gateway.draft_list import draft_page
from countersign_gateway.replies.drafts import (
    ContentReply,
    DraftCountsReply,
    DraftDetailReply,
    DraftPageReply,
    DraftReply,
    SubmitReply,
    content_reply,
    counts_reply,
    draft_reply,
    submit_reply,
)
from countersign_gateway.replies.responses import json_response
from countersign_gateway.route import DraftRoute
from countersign_gateway.routes.parameters import (
    Backends,
    ContentVersion,
    DraftId,
    ExpectedVersion,
    LineNo,
)
from countersign_gateway.services import ask
from countersign_platform.off_loop import off_loop

router = APIRouter(route_class=DraftRoute, tags=["draft orders"])

_PAGE = TypeAdapter(DraftPageReply)


@router.post(
    "/draft-orders",
    status_code=201,
    response_model=SubmitReply,
    responses={
        200: {"model": SubmitReply, "description": "external_ref was known: the first draft"}
    },
)
async def submit_draft(body: SubmitBody, services: Backends, sent: Request) -> Response:
    """Take a draft order in and run the ready check. Idempotent by `external_ref`."""
    request = await off_loop(len(await sent.body()), submit_request, body)
    stored = await ask(services.approval.SubmitDraft, request)
    draft = stored.draft
    location = {"Location": f"/draft-orders/{draft.id}"} if stored.created else {}
    return json_response(
        await off_loop(draft.ByteSize(), submit_reply, stored),
        status=201 if stored.created else 200,
        version=draft.version,
        headers=location,
    )


@router.get("/draft-orders", response_model=DraftPageReply)
async def list_drafts(filters: Annotated[DraftFilters, Query()], services: Backends) -> Response:
    """List draft orders."""
    return json_response(await draft_page(services, filters), shape=_PAGE)


@router.get("/draft-orders/counts", response_model=DraftCountsReply)
async def count_drafts(criteria: Annotated[DraftCriteria, Query()], services: Backends) -> Response:
    """How many draft orders have each status, each counted up to 10,000."""
    found = await ask(services.approval.CountDrafts, count_drafts_request(criteria))
    return json_response(counts_reply(found))


@router.get("/draft-orders/{id}", response_model=DraftDetailReply)
async def get_draft(draft_id: DraftId, services: Backends) -> Response:
    """One draft order with its exports and its audit trail.

    A part whose service does not answer is null and named in `degraded`; the rest still comes.
    """
    detail = await draft_detail(services, str(draft_id))
    return json_response(detail, version=detail["version"])


@router.get("/draft-orders/{id}/contents/{content_version}", response_model=ContentReply)
async def get_draft_content(
    draft_id: DraftId, content_version: ContentVersion, services: Backends
) -> Response:
    """What the draft order said when it had that `content_version`; it never changes."""
    request = approvals.GetDraftContentRequest(
        draft_order_id=str(draft_id), content_version=content_version
    )
    return json_response(content_reply(await ask(services.approval.GetDraftContent, request)))


@router.patch("/draft-orders/{id}", response_model=DraftReply)
async def edit_draft(
    draft_id: DraftId, body: EditBody, expected: ExpectedVersion, services: Backends
) -> Response:
    """Change a draft order (JSON merge patch) and run the ready check again.

    An APPROVED or ERROR draft goes back to NEEDS_REVIEW and its approval is cleared.
    """
    request = edit_request(draft_id, expected, body)
    return await _draft((await ask(services.approval.EditDraft, request)).draft)


@router.patch("/draft-orders/{id}/lines/{line_no}", response_model=DraftReply)
async def edit_draft_line(
    draft_id: DraftId,
    line_no: LineNo,
    body: EditLineBody,
    expected: ExpectedVersion,
    services: Backends,
) -> Response:
    """Change one line (JSON merge patch); otherwise as a change of the draft order."""
    request = edit_line_request(draft_id, line_no, expected, body)
    return await _draft((await ask(services.approval.EditDraftLine, request)).draft)


@router.post("/draft-orders/{id}/validate", response_model=DraftReply)
async def validate_draft(draft_id: DraftId, services: Backends) -> Response:
    """Run the ready check again. Idempotent."""
    request = approvals.ValidateDraftRequest(draft_order_id=str(draft_id))
    return await _draft((await ask(services.approval.ValidateDraft, request)).draft)


@router.post("/draft-orders/{id}/reject", response_model=DraftReply)
async def reject_draft(
    draft_id: DraftId, body: RejectBody, expected: ExpectedVersion, services: Backends
) -> Response:
    """Refuse a draft order for good, with a reason."""
    request = approvals.RejectDraftRequest(
        draft_order_id=str(draft_id), reason=body.reason, expected_version=expected
    )
    return await _draft((await ask(services.approval.RejectDraft, request)).draft)


@router.delete("/draft-orders/{id}/approval", response_model=DraftReply)
async def revoke_approval(
    draft_id: DraftId, expected: ExpectedVersion, services: Backends
) -> Response:
    """Take an approval back: the draft order goes to NEEDS_REVIEW."""
    request = approvals.RevokeApprovalRequest(
        draft_order_id=str(draft_id), expected_version=expected
    )
    return await _draft((await ask(services.approval.RevokeApproval, request)).draft)


async def _draft(draft: drafts.Draft) -> Response:
    reply = await off_loop(draft.ByteSize(), draft_reply, draft)
    return json_response(reply, version=draft.version)
