from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from google.protobuf.timestamp_pb2 import Timestamp
from protovalidate import Validator

from countersign.audit.v1.audit_service_pb2 import AuditEvent
from countersign_core.audit_actions import AuditAction, EntityType
from countersign_core.roles import OPERATORS, Role
from countersign_platform.auth.identity import Identity
from countersign_platform.database.pool import Database
from countersign_platform.outbox.audit_record import NO_ORG, audit_row, record_denied
from countersign_platform.rpc.call import Call
from countersign_platform.testing.databases import Databases

ORG = UUID(int=3)
DRAFT = UUID(int=4)
EVENT = UUID(int=5)
METHOD = "/countersign.approval.v1.ApprovalService/ApproveDraft"


def call(org_id: UUID | None = ORG, role: Role = Role.OPERATOR, **changes: str) -> Call:
    given = {
        "request_id": "req-1",
        "trace_id": "a" * 32,
        "traceparent": f"00-{'a' * 32}-{'b' * 16}-00",
        "ip": "192.0.2.7",
        "user_agent": "curl/8",
    } | changes
    return Call(
        method=METHOD,
        identity=Identity("olga", frozenset({role}), org_id, "acme"),
        **given,
    )


def event_of(caller: Call | None, **more: object) -> AuditEvent:
    row_id, payload = audit_row(
        caller,
        AuditAction.DRAFT_APPROVED,
        EntityType.DRAFT_ORDER,
        DRAFT,
        org_id=ORG,
        event_id=EVENT,
        draft_order_id=DRAFT,
        **more,
    )
    assert row_id == EVENT
    return AuditEvent.FromString(payload)


def test_an_event_says_who_did_what_to_what_and_from_where() -> None:
    event = event_of(call(), before={"status": "READY"}, after={"b": None, "a": "ü", "n": 1})
    assert event == AuditEvent(
        event_id=str(EVENT),
        org_id=str(ORG),
        actor_user_id="olga",
        action="DRAFT_APPROVED",
        entity_type="draft_order",
        entity_id=str(DRAFT),
        draft_order_id=str(DRAFT),
        before_json='{"status":"READY"}',
        after_json='{"a":"ü","b":null,"n":1}',
        request_id="req-1",
        trace_id="a" * 32,
        ip="192.0.2.7",
        user_agent="curl/8",
    )


def test_the_relay_and_nobody_else_sets_the_time() -> None:
    assert not event_of(call()).HasField("occurred_at")


@pytest.mark.parametrize("caller", [None, call(org_id=None, role=Role.WORKER)])
def test_an_act_of_the_system_names_no_actor(caller: Call | None) -> None:
    event = event_of(caller, request_id="req-of-the-push", trace_id="c" * 32)
    assert (event.actor_user_id, event.ip, event.user_agent) == ("", "", "")
    assert (event.request_id, event.trace_id) == ("req-of-the-push", "c" * 32)


def test_no_length_of_what_a_caller_sends_makes_the_event_invalid() -> None:
    event = event_of(call(request_id="r" * 999, ip="i" * 999, user_agent="u" * 9999))
    event.occurred_at.CopyFrom(Timestamp(seconds=1))
    Validator().validate(event)
    assert event.user_agent == "u" * 500


def test_a_float_is_refused() -> None:
    with pytest.raises(TypeError):
        event_of(call(), after={"qty": 1.5})


@pytest_asyncio.fixture(loop_scope="session")
async def database(databases: Databases) -> AsyncIterator[Database]:
    opened = await Database.connect(databases.url_for("approval"), "test-denied")
    yield opened
    await opened.close()


async def denied(database: Database, caller: Call) -> tuple[UUID, AuditEvent]:
    await record_denied(database, "approval")(caller, OPERATORS)
    row = await database.fetchrow("SELECT * FROM approval.outbox")
    assert row is not None
    assert row["lane"] == "audit"
    event = AuditEvent.FromString(row["payload"])
    assert event.event_id == str(row["id"])
    return row["org_id"], event


@pytest.mark.integration
async def test_a_denial_is_recorded_with_what_was_asked_and_what_it_takes(
    database: Database,
) -> None:
    org_id, event = await denied(database, call(role=Role.VIEWER))
    assert org_id == ORG
    assert (event.action, event.entity_type, event.entity_id) == ("ACCESS_DENIED", "rpc", METHOD)
    assert event.after_json == '{"allowed_roles":["ADMIN","OPERATOR"],"roles":["VIEWER"]}'
    assert event.actor_user_id == "olga"


@pytest.mark.integration
async def test_a_denial_of_a_caller_without_org_stands_under_no_org(database: Database) -> None:
    org_id, event = await denied(database, call(org_id=None, role=Role.WORKER))
    assert org_id == NO_ORG
    assert event.org_id == str(NO_ORG)


@pytest.mark.integration
async def test_every_denial_is_its_own_event(database: Database) -> None:
    record = record_denied(database, "approval")
    await record(call(), OPERATORS)
    await record(call(), OPERATORS)
    assert await database.fetchval("SELECT count(DISTINCT id) FROM approval.outbox") == 2


def test_a_schema_name_that_is_no_plain_name_is_refused() -> None:
    with pytest.raises(ValueError, match="plain"):
        record_denied(None, f"push; DROP TABLE x{uuid4()}")
