"""Who may call what, and that another tenant's draft is nobody's draft."""

import grpc
import pytest
from google.protobuf import json_format

from countersign.approval.v1 import approval_service_pb2 as pb
from countersign.audit.v1.audit_service_pb2 import AuditEvent
from countersign_approval.access import ACCESS, SERVICE
from countersign_core.errors import CountersignError
from countersign_core.roles import Role

pytestmark = pytest.mark.integration

METHODS = sorted(name.rpartition("/")[2] for name in ACCESS)
USER_ROLES = [Role.ADMIN, Role.INTEGRATOR, Role.OPERATOR, Role.VIEWER]

# What the comments of the RPCs promise.
READ = ["ADMIN", "INTEGRATOR", "OPERATOR", "VIEWER"]
ACT = ["ADMIN", "OPERATOR"]
PROMISED = {
    "SubmitDraft": ["ADMIN", "INTEGRATOR", "OPERATOR"],
    "GetDraft": READ,
    "GetDraftContent": READ,
    "ListDrafts": READ,
    "CountDrafts": READ,
    "EditDraft": ACT,
    "EditDraftLine": ACT,
    "ValidateDraft": ACT,
    "ApproveDraft": ACT,
    "BatchApproveDrafts": ACT,
    "RevokeApproval": ACT,
    "RejectDraft": ACT,
    "WatchDrafts": READ,
    "GetApprovalPolicy": READ,
    "SetApprovalPolicy": ["ADMIN"],
}
NAMING_A_DRAFT = {
    "GetDraft": {},
    "GetDraftContent": {"content_version": 1},
    "EditDraft": {"update_mask": "header.notes"},
    "EditDraftLine": {"line_no": 1, "update_mask": "qty"},
    "ValidateDraft": {},
    "ApproveDraft": {},
    "RevokeApproval": {},
    "RejectDraft": {"reason": "Doubled"},
}


def request_for(method: str, draft_id: str):
    """A request that only the caller's role or org can be wrong about."""
    fields = {"draft_order_id": draft_id, **NAMING_A_DRAFT.get(method, {})}
    if method == "SubmitDraft":
        fields = {"external_ref": "ref-1", "content": {}}
    elif method == "BatchApproveDrafts":
        fields = {"items": [{"draft_order_id": draft_id}]}
    elif method not in NAMING_A_DRAFT:
        fields = {}
    return json_format.ParseDict(fields, getattr(pb, f"{method}Request")())


async def call(person, method: str, draft_id: str):
    if method != "WatchDrafts":
        return await person.call(method, request_for(method, draft_id))
    stream = person.watch()
    try:
        return await stream.read()
    finally:
        stream.cancel()


def test_the_promises_are_those_of_every_method():
    assert {method: sorted(ACCESS[f"/{SERVICE}/{method}"]) for method in METHODS} == PROMISED


@pytest.mark.parametrize("method", METHODS)
async def test_each_method_serves_the_roles_it_promises_and_no_other(olga, rows, method):
    """Every refusal of a role is on record as ACCESS_DENIED, once."""
    draft = await olga.submit("ref-1")
    denied = []
    for role in USER_ROLES:
        person = olga.called(f"user-{role}", role)
        try:
            await call(person, method, draft.id)
        except (CountersignError, grpc.aio.AioRpcError) as error:
            if _reason(error) == "ROLE_REQUIRED":
                denied.append(role)
    assert sorted(set(USER_ROLES) - set(denied)) == PROMISED[method]
    acts = await rows.acts("", "ACCESS_DENIED")
    assert [(act.actor, act.event.entity_id) for act in acts] == [
        (f"user-{role}", f"/{SERVICE}/{method}") for role in denied
    ]


@pytest.mark.parametrize("role", [Role.WORKER, Role.RELAY])
async def test_services_have_no_business_here(olga, role):
    bearer = ("authorization", f"Bearer {olga.tokens.service(role)}")
    for method in METHODS:
        stub = getattr(olga.stub, method)
        outcome = stub(request_for(method, str(olga.org_id)), metadata=(bearer,))
        assert await outcome.code() is grpc.StatusCode.PERMISSION_DENIED, method


async def test_a_call_without_a_token_is_refused_and_says_nothing_of_the_draft(olga):
    draft = await olga.submit()
    outcome = olga.stub.GetDraft(pb.GetDraftRequest(draft_order_id=draft.id))
    assert await outcome.code() is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize("method", sorted(NAMING_A_DRAFT))
async def test_another_tenants_draft_is_not_found(olga, refused, rows, method):
    draft = await olga.submit()
    stranger = olga.elsewhere().called("sven", Role.ADMIN)
    refusal = await refused(stranger.call(method, request_for(method, draft.id)))
    assert (refusal.reason, refusal.code) == ("DRAFT_NOT_FOUND", "NOT_FOUND")
    assert refusal.message == "Draft not found"
    assert refusal.metadata == {}
    assert await olga.get(draft.id) == draft
    assert len(await rows.acts()) == 1


async def test_another_tenants_drafts_are_in_no_batch_and_no_list(olga):
    draft = await olga.submit()
    stranger = olga.elsewhere()
    (result,) = await stranger.approve_all(draft.id)
    assert result.problem.message == "Draft not found"
    assert not (await stranger.list()).drafts
    assert (await olga.get(draft.id)).version == 1


async def test_an_id_that_is_no_uuid_is_malformed(olga, refused):
    for method in sorted(NAMING_A_DRAFT):
        refusal = await refused(olga.call(method, request_for(method, "draft-7")))
        assert (refusal.reason, refusal.code) == ("VALIDATION_FAILED", "INVALID_ARGUMENT")
        assert refusal.fields == ["draft_order_id"], method


async def test_the_record_of_a_denial_says_who_and_what(olga, rows, refused):
    vera = olga.called("vera", Role.VIEWER).with_metadata(("x-request-id", "req-1"))
    draft = await olga.submit()
    refusal = await refused(vera.approve(draft.id))
    assert (refusal.reason, refusal.code) == ("ROLE_REQUIRED", "PERMISSION_DENIED")
    assert refusal.metadata == {"allowed_roles": "ADMIN,OPERATOR"}
    (act,) = await rows.acts("", "ACCESS_DENIED")
    event: AuditEvent = act.event
    assert (event.actor_user_id, event.request_id) == ("vera", "req-1")
    assert (event.entity_type, event.org_id) == ("rpc", str(olga.org_id))


def _reason(error: Exception) -> str:
    if isinstance(error, CountersignError):
        return error.reason
    return "ROLE_REQUIRED" if error.code() is grpc.StatusCode.PERMISSION_DENIED else "OTHER"
