"""Every RPC and every transition on the real stack: what acts is on record once, with all of it.

A new RPC, or a new transition, without an entry here fails.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import grpc
import grpc.aio
import pytest
from record_cases import (
    DRAFT_MOVES,
    EXPORT_MOVES,
    IN_PASSING,
    RPCS,
    Move,
)
from record_stage import (
    AGENT,
    ALL_RPCS,
    IP,
    TRACE_ID,
    Stage,
)
from system import System

from countersign_approval.access import ACCESS as APPROVAL_ACCESS
from countersign_audit.access import ACCESS as AUDIT_ACCESS
from countersign_core.audit_actions import AuditAction
from countersign_core.lifecycle import (
    DRAFT_TRANSITIONS,
    EXPORT_TRANSITIONS,
    DraftStatus,
)
from countersign_core.roles import READERS, SERVICE_ROLES, Role
from countersign_push.access import ACCESS as PUSH_ACCESS

pytestmark = pytest.mark.integration

ACCESS = {**APPROVAL_ACCESS, **PUSH_ACCESS, **AUDIT_ACCESS}
A = AuditAction
# Acts of the system without any call; services/audit/tests hold them.
WITHOUT_CALL = {A.AUDIT_MONTH_REMOVED}
# Acts of the system: nobody's address, and the call that the push came with.
OF_THE_SYSTEM = {A.DRAFT_PUSH_SUCCEEDED, A.DRAFT_PUSH_FAILED, A.EXPORT_ACKED}
NOTHING_BEFORE = {
    A.DRAFT_SUBMITTED,
    A.CONNECTION_CREATED,
    A.CONNECTION_TESTED,
    A.AUDIT_EXPORTED,
    A.ACCESS_DENIED,
}


@pytest.fixture
async def stage(workerless: tuple[System, asyncpg.Connection]) -> AsyncIterator[Stage]:
    """A new org with a connection."""
    system, owner = workerless
    async with system.tenant() as tenant:
        yield Stage(system, owner, tenant)


def test_every_rpc_has_an_entry_here() -> None:
    """A new RPC must say what it leaves on record, if only: nothing, it reads."""
    assert set(RPCS) == set(ALL_RPCS)


def test_every_transition_has_a_case_here() -> None:
    drafts_moves = {(a, b) for a, targets in DRAFT_TRANSITIONS.items() for b in targets}
    export_moves = {(a, b) for a, targets in EXPORT_TRANSITIONS.items() for b in targets}
    assert set(DRAFT_MOVES) == drafts_moves
    assert set(EXPORT_MOVES) == export_moves


def test_every_action_is_left_by_some_case_here() -> None:
    left = {action for rpc in RPCS.values() for action in rpc.leaves}
    assert left | {A.ACCESS_DENIED} | WITHOUT_CALL == set(AuditAction)


def roles_for(method: str) -> Role:
    """The role that a case acts in."""
    allowed = ACCESS[method]
    return Role.ADMIN if Role.ADMIN in allowed else min(allowed)


def refused_role(method: str) -> Role:
    """A user's role that the method does not take; a service's where it takes every user."""
    users = READERS - ACCESS[method]
    return min(users or SERVICE_ROLES - ACCESS[method])


async def last_seq(stage: Stage) -> int:
    events = await stage.recorded()
    return int(events[-1]["seq"]) if events else 0


def assert_left(events: list[dict[str, Any]], leaves: tuple[AuditAction, ...]) -> None:
    """Exactly these, each with all that must be known of an act."""
    assert sorted(event["action"] for event in events) == sorted(leaves)
    for event in events:
        action = event["action"]
        assert event["request_id"], event
        assert len(event["trace_id"]) == 32, event
        assert event["entity_id"], event
        assert event["after_json"], event
        assert event["before_json"] or action in NOTHING_BEFORE, event
        if action not in OF_THE_SYSTEM:
            assert (event["actor_user_id"], event["ip"]) != ("", ""), event
            assert event["user_agent"], event


@pytest.mark.parametrize("method", sorted(RPCS))
async def test_an_rpc_leaves_exactly_what_it_did(stage: Stage, method: str) -> None:
    """What acts leaves its events, once; what reads leaves none."""
    rpc = RPCS[method]
    fields = await rpc.prepare(stage)
    seen = await last_seq(stage)
    call = stage.rpc(method, fields, token=stage.token(roles_for(method)))
    if rpc.beside is None:
        await call
    else:
        await asyncio.gather(call, rpc.beside(stage))
    assert_left(await stage.recorded(seen), rpc.leaves)


@pytest.mark.parametrize(
    ("transition", "case"),
    [
        pytest.param(transition, case, id="-".join(transition))
        for transition, case in [*DRAFT_MOVES.items(), *EXPORT_MOVES.items()]
    ],
)
async def test_a_transition_leaves_exactly_its_events(
    stage: Stage, transition: tuple[Any, Any], case: Move
) -> None:
    draft_id, fields = await case.prepare(stage)
    look = stage.status if isinstance(transition[0], DraftStatus) else stage.export_status
    if draft_id is not None:
        assert await look(draft_id) == transition[0]
    seen = await last_seq(stage)
    reply = await stage.rpc(case.method, fields, token=stage.token(roles_for(case.method)))
    events = await stage.recorded(seen)
    assert_left(events, case.leaves)
    reached = await look(draft_id or reply.draft.id)  # type: ignore[attr-defined] # a submit's
    assert reached == transition[1] or transition[1] in IN_PASSING


@pytest.mark.parametrize("method", sorted(RPCS))
async def test_refused_access_is_on_record_once(stage: Stage, method: str) -> None:
    """In the org of the caller's token; a service's token has none, so in the trail of nobody."""
    refused = refused_role(method)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stage.rpc(method, {}, token=stage.token(refused))
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
    [event] = await stage.denied(stage.last_request_id)
    assert event["action"] == A.ACCESS_DENIED
    assert (event["entity_type"], event["entity_id"]) == ("rpc", method)
    assert event["org_id"] == (UUID(int=0) if refused in SERVICE_ROLES else stage.tenant.org)
    assert event["trace_id"] == TRACE_ID
    if refused not in SERVICE_ROLES:
        assert_left([event], (A.ACCESS_DENIED,))
        assert (event["actor_user_id"], event["ip"], event["user_agent"]) == ("olga", IP, AGENT)


@pytest.mark.parametrize("method", sorted(RPCS))
async def test_a_call_without_a_token_leaves_nothing(stage: Stage, method: str) -> None:
    """Nobody acted, and no org is theirs to write to: decision 0034. The RPC metrics count it."""
    for token in (None, "not-a-token"):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stage.rpc(method, {}, token=token)
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
        assert await stage.denied(stage.last_request_id) == []


async def test_an_act_over_rest_is_on_record_with_the_callers_own_context(stage: Stage) -> None:
    """Actor, address, agent, request and trace of the person, not of the gateway."""
    made = await stage.ready()
    seen = await last_seq(stage)
    headers = {
        "X-Request-Id": "req-of-the-browser",
        "traceparent": f"00-{TRACE_ID}-b7ad6b7169203331-01",
        "User-Agent": AGENT,
    }
    person = stage.tenant.client(Role.OPERATOR, subject="anna", **headers)
    assert (await person.post(f"/draft-orders/{made}/approve")).is_success
    viewer = stage.tenant.client(Role.VIEWER, subject="vera", **headers)
    assert (await viewer.post(f"/draft-orders/{made}/push")).status_code == 403
    approved, denied = await stage.recorded(seen)
    assert (approved["action"], denied["action"]) == (A.DRAFT_APPROVED, A.ACCESS_DENIED)
    for event, actor in ((approved, "anna"), (denied, "vera")):
        assert (event["actor_user_id"], event["ip"]) == (actor, "127.0.0.1")
        assert event["user_agent"] == AGENT
        assert event["request_id"] == "req-of-the-browser"
        assert event["trace_id"] == TRACE_ID


async def test_a_replayed_push_leaves_no_second_event(stage: Stage) -> None:
    made = await stage.approved()
    key = {"Idempotency-Key": "k-1"}
    first = await stage.tenant.push(made, **key)
    seen = await last_seq(stage)
    again = await stage.tenant.push(made, **key)
    assert (first.status_code, again.headers["Idempotent-Replayed"]) == (200, "true")
    assert await stage.recorded(seen) == []
