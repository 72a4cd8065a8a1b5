"""Who gets past the interceptor, in which order it asks, and what the handler then knows."""

import asyncio
from uuid import UUID, uuid4

import grpc
import pytest

from countersign.push.v1 import push_service_pb2, push_service_pb2_grpc
from countersign_core.errors import CountersignError, Forbidden, InvalidRequest
from countersign_core.reasons import Reason
from countersign_core.roles import OPERATORS, READERS
from countersign_platform.rpc.call import Call, current_call
from countersign_platform.rpc.server import RpcServer
from countersign_platform.rpc.status import error_from_rpc
from countersign_platform.settings import ServiceSettings

GOOD = push_service_pb2.PushDraftRequest(draft_order_id=str(uuid4()))
METHOD = "/countersign.push.v1.PushService/PushDraft"


class Remembering(push_service_pb2_grpc.PushServiceServicer):
    """Keeps the calls that reached it."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    async def PushDraft(self, request, context):
        self.calls.append(current_call())
        return push_service_pb2.PushDraftResponse(erp_export_id=request.draft_order_id)

    async def BatchPushDrafts(self, request, context):
        self.calls.append(current_call())
        return push_service_pb2.BatchPushDraftsResponse()


@pytest.fixture
async def servicer() -> Remembering:
    return Remembering()


async def refusal(call) -> CountersignError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return error_from_rpc(caught.value)


async def test_the_handler_knows_who_calls(serve, servicer):
    running = await serve(servicer)
    stub = push_service_pb2_grpc.PushServiceStub(await running.bare_channel())
    await stub.PushDraft(
        GOOD,
        timeout=30,
        metadata=(
            ("authorization", f"bearer {running.token()}"),
            ("x-request-id", "req-1"),
            ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            ("idempotency-key", '"first"'),
            ("idempotency-key", "second"),
            ("x-forwarded-for-client", "203.0.113.9"),
            ("x-client-user-agent", "Firefox"),
            ("anything-else", "ignored"),
        ),
    )
    (call,) = servicer.calls
    assert call.method == METHOD
    assert call.identity.subject == "anna"
    assert call.org_id == UUID("6f1f8f0e-63f4-4c92-8a52-4d9f8a6f9f11")
    assert call.request_id == "req-1"
    assert call.trace_id == "0af7651916cd43dd8448eb211c80319c"
    assert call.traceparent == "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert call.idempotency_keys == ('"first"', "second")
    assert (call.ip, call.user_agent) == ("203.0.113.9", "Firefox")
    # gRPC rounds a timeout up on its way.
    assert 25 < call.remaining_seconds() < 31


async def test_a_direct_caller_is_known_by_its_own_address(serve, servicer):
    running = await serve(servicer)
    stub = push_service_pb2_grpc.PushServiceStub(await running.bare_channel())
    await stub.PushDraft(GOOD, metadata=(("authorization", f"Bearer {running.token()}"),))
    (call,) = servicer.calls
    assert call.ip == "127.0.0.1"
    assert call.user_agent.startswith("grpc-python-asyncio/")
    assert call.remaining_seconds() is None
    assert len(call.request_id) == 32
    assert len(call.trace_id) == 32


@pytest.mark.parametrize("given", ["", "a b", "x" * 201])
async def test_an_unfit_request_id_is_replaced(serve, servicer, given):
    running = await serve(servicer)
    stub = push_service_pb2_grpc.PushServiceStub(await running.bare_channel())
    authorization = ("authorization", f"Bearer {running.token()}")
    await stub.PushDraft(GOOD, metadata=[authorization, ("x-request-id", given)])
    (call,) = servicer.calls
    assert call.request_id != given
    assert len(call.request_id) == 32


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic YTpi", "Bearer x.y.z"])
async def test_without_a_good_token_nothing_happens(serve, servicer, header):
    running = await serve(servicer)
    stub = push_service_pb2_grpc.PushServiceStub(await running.bare_channel())
    metadata = [] if header is None else [("authorization", header)]
    error = await refusal(stub.PushDraft(GOOD, metadata=metadata))
    assert error.reason is Reason.UNAUTHENTICATED
    assert servicer.calls == []


async def test_a_missing_role_is_refused_and_told(serve, servicer):
    told = []

    async def on_denied(call, allowed):
        told.append((call, allowed))

    running = await serve(servicer, on_denied=on_denied)
    token = running.token(subject="eve", roles=["VIEWER"])
    stub = await running.push_stub(token=lambda: token)
    error = await refusal(stub.PushDraft(GOOD))
    assert type(error) is Forbidden
    assert error.reason is Reason.ROLE_REQUIRED
    assert error.metadata["allowed_roles"] == "ADMIN,OPERATOR"
    ((call, allowed),) = told
    assert (call.identity.subject, call.method, allowed) == ("eve", METHOD, OPERATORS)
    assert servicer.calls == []


async def test_a_refusal_that_cannot_be_recorded_stays_a_refusal(serve, servicer):
    async def on_denied(call, allowed):
        raise ConnectionError("the database is away")

    running = await serve(servicer, on_denied=on_denied)
    token = running.token(roles=["VIEWER"])
    stub = await running.push_stub(token=lambda: token)
    assert (await refusal(stub.PushDraft(GOOD))).reason is Reason.ROLE_REQUIRED


async def test_a_role_nobody_knows_grants_nothing(serve, servicer):
    running = await serve(servicer)
    token = running.token(roles=["EMPEROR"])
    stub = await running.push_stub(token=lambda: token)
    assert (await refusal(stub.PushDraft(GOOD))).reason is Reason.ROLE_REQUIRED


async def test_a_stranger_learns_nothing_of_the_rules(serve, servicer):
    """Token before role before rules: an invalid request without a token is UNAUTHENTICATED."""
    running = await serve(servicer)
    stub = push_service_pb2_grpc.PushServiceStub(await running.bare_channel())
    error = await refusal(stub.PushDraft(push_service_pb2.PushDraftRequest()))
    assert error.reason is Reason.UNAUTHENTICATED
    token = running.token(roles=["VIEWER"])
    stub = await running.push_stub(token=lambda: token)
    error = await refusal(stub.PushDraft(push_service_pb2.PushDraftRequest()))
    assert error.reason is Reason.ROLE_REQUIRED


async def test_every_broken_rule_is_named_at_once(serve, servicer):
    stub = await (await serve(servicer)).push_stub()
    request = push_service_pb2.BatchPushDraftsRequest()
    request.items.add(draft_order_id=str(uuid4()))
    request.items.add(draft_order_id="x", erp_connection_id="y", expected_version=0)
    error = await refusal(stub.BatchPushDrafts(request))
    assert type(error) is InvalidRequest
    assert {item.field for item in error.field_errors} == {
        "items[1].draft_order_id",
        "items[1].erp_connection_id",
        "items[1].expected_version",
    }
    assert servicer.calls == []


async def test_five_hundred_broken_items_still_give_a_reason(serve, servicer):
    stub = await (await serve(servicer)).push_stub()
    request = push_service_pb2.BatchPushDraftsRequest()
    for _ in range(500):
        request.items.add(draft_order_id="x")
    error = await refusal(stub.BatchPushDrafts(request))
    assert error.reason is Reason.VALIDATION_FAILED
    assert len(error.field_errors) + int(error.metadata["field_errors_omitted"]) == 500


async def test_an_unknown_method_is_unimplemented(serve, servicer):
    channel = await (await serve(servicer)).bare_channel()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await channel.unary_unary("/countersign.push.v1.PushService/Nope")(b"")
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_calls_at_the_same_time_do_not_mix(serve):
    """Each handler sees its own caller, across an await."""

    class Slow(push_service_pb2_grpc.PushServiceServicer):
        async def PushDraft(self, request, context):
            await asyncio.sleep(0.01)
            return push_service_pb2.PushDraftResponse(erp_export_id=current_call().request_id)

    stub = await (await serve(Slow())).push_stub()

    async def push(name: str) -> str:
        reply = await stub.PushDraft(GOOD, metadata=(("x-request-id", name),))
        return reply.erp_export_id

    names = [f"request-{number}" for number in range(50)]
    assert await asyncio.gather(*(push(name) for name in names)) == names


def test_outside_a_call_there_is_none():
    with pytest.raises(LookupError):
        current_call()


def test_a_method_without_roles_refuses_to_start(signing_key):
    access = {METHOD: READERS}
    server = RpcServer(ServiceSettings(jwks=str(signing_key.jwks_file)), None, access)
    add = push_service_pb2_grpc.add_PushServiceServicer_to_server
    with pytest.raises(ValueError, match=r"BatchPushDrafts, .*/RetryPush"):
        server.add(add, Remembering(), "countersign.push.v1.PushService")


async def test_a_service_token_has_no_org_to_act_for(serve):
    class AsksForOrg(push_service_pb2_grpc.PushServiceServicer):
        async def PushDraft(self, request, context):
            return push_service_pb2.PushDraftResponse(erp_export_id=str(current_call().org_id))

    running = await serve(AsksForOrg())
    # No table of roles lets a service in where users act; should one ever, the org is missing.
    running.server._access[METHOD] = frozenset({"WORKER"})
    token = running.token(roles=["WORKER"], org_id=None)
    stub = await running.push_stub(token=lambda: token)
    assert (await refusal(stub.PushDraft(GOOD))).reason is Reason.ROLE_REQUIRED
