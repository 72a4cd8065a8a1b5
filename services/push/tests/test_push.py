"""PushDraft over a real socket and a real PostgreSQL: what it writes and what it refuses."""

import hashlib
from uuid import UUID, uuid4

import pytest

from countersign.push.v1 import push_service_pb2 as pb
from countersign.push.v1.events_pb2 import ExportRequested
from countersign_core.errors import CountersignError
from countersign_core.ids import export_file_name
from countersign_core.reasons import Reason
from countersign_core.roles import Role

pytestmark = pytest.mark.integration


async def refused(call):
    with pytest.raises(CountersignError) as caught:
        await call
    return caught.value


async def test_a_push_moves_the_draft_and_writes_export_and_both_messages(world, client, approved):
    """One statement: PUSHING, a PENDING export, one work row, one audit row."""
    draft = await approved()
    reply = await client.push(draft)
    assert (reply.outcome, reply.replayed) == (pb.PUSH_OUTCOME_PUSHING, False)
    row = await world.orders.draft(client.org_id, draft)
    assert (row["status"], row["version"]) == ("PUSHING", 3)
    [export] = await world.orders.exports(client.org_id, draft)
    assert str(export["id"]) == reply.erp_export_id
    assert (export["status"], export["created_by"], export["org_slug"]) == (
        "PENDING",
        "olga",
        "acme",
    )
    assert export["content_sha256"] == row["approved_sha256"]
    assert export["approved_at"] == row["approved_at"]
    assert export["retry_of"] is None
    [work] = await world.orders.outbox(client.org_id, "work")
    assert ExportRequested.FromString(work["payload"]) == ExportRequested(
        org_id=str(client.org_id), export_id=reply.erp_export_id
    )
    [act] = await world.orders.acts(client.org_id)
    assert (act.action, act.entity_type, act.entity_id) == (
        "DRAFT_PUSHED",
        "draft_order",
        str(draft),
    )
    assert (act.actor_user_id, act.draft_order_id) == ("olga", str(draft))
    assert act.before_json == '{"status":"APPROVED"}'
    assert act.after_json == f'{{"erp_export_id":"{reply.erp_export_id}","status":"PUSHING"}}'
    assert world.wakes == 1
    assert await world.orders.keys(client.org_id) == []


async def test_without_a_broker_workers_are_told_and_no_message_is_written(world):
    """Nobody would read it: a worker that asks finds the export in the database."""
    told = []
    await world.stop()
    world.tell_workers = lambda: told.append("a push")
    await world.start()
    client = world.client()
    await world.orders.connection(client.org_id)
    drafts = [await world.orders.approved(client.org_id) for _ in range(3)]
    await client.push(drafts[0])
    await client.batch(*drafts[1:])
    assert told == ["a push", "a push"]
    assert await world.orders.outbox(client.org_id, "work") == []
    assert len(await world.orders.acts(client.org_id)) == 3


async def test_the_file_is_named_as_everywhere_else(world, client, approved):
    """The name made in SQL is the name that the shared rule makes."""
    draft = await approved()
    await client.push(draft)
    [export] = await world.orders.exports(client.org_id, draft)
    assert export["file_name"] == export_file_name(draft, export["id"], export["created_at"])


async def test_both_messages_carry_the_trace_and_the_request_id(world, client, approved):
    await client.push(await approved())
    for lane in ("work", "audit"):
        [row] = await world.orders.outbox(client.org_id, lane)
        assert "traceparent" in row["headers"]
        assert "x-request-id" in row["headers"]


async def test_a_second_push_is_refused_and_names_the_export(world, client, approved):
    draft = await approved()
    first = await client.push(draft)
    error = await refused(client.push(draft))
    assert (error.reason, error.message) == (
        Reason.EXPORT_EXISTS,
        "Export already in progress or completed",
    )
    assert error.metadata == {
        "erp_export_id": first.erp_export_id,
        "export_status": "PENDING",
        "current": "PUSHING",
    }
    assert len(await world.orders.outbox(client.org_id, "audit")) == 1


@pytest.mark.parametrize("status", ["SENT", "ACKED"])
async def test_a_push_of_a_pushed_draft_is_refused(world, client, approved, status):
    draft = await approved()
    export = UUID((await client.push(draft)).erp_export_id)
    await world.orders.sent(client.org_id, export)
    if status == "ACKED":
        await world.orders.acked(client.org_id, export)
    error = await refused(client.push(draft))
    assert error.reason is Reason.EXPORT_EXISTS
    assert (error.metadata["export_status"], error.metadata["current"]) == (status, "PUSHED")


async def test_a_draft_that_is_not_approved_is_refused_with_its_state(world, client):
    draft = await world.orders.ready(client.org_id)
    error = await refused(client.push(draft))
    assert (error.reason, error.message) == (
        Reason.WRONG_STATE,
        "Draft must be APPROVED to push (current: READY)",
    )
    assert error.metadata == {"current": "READY", "allowed": "APPROVED"}


async def test_a_rejected_draft_is_refused(world, client):
    draft = await world.orders.ready(client.org_id)
    await world.orders.reject(client.org_id, draft)
    error = await refused(client.push(draft))
    assert error.message == "Draft must be APPROVED to push (current: REJECTED)"


async def test_a_failed_draft_is_retried_and_not_pushed(world, client, approved):
    draft = await approved()
    export = UUID((await client.push(draft)).erp_export_id)
    await world.orders.failed(client.org_id, export)
    error = await refused(client.push(draft))
    assert error.message == "Draft must be APPROVED to push (current: ERROR)"


async def test_a_draft_of_nobody_is_not_found(client):
    error = await refused(client.push(uuid4()))
    assert (error.reason, error.message) == (Reason.DRAFT_NOT_FOUND, "Draft not found")


async def test_a_draft_of_another_tenant_looks_like_one_of_nobody(world, client):
    stranger = world.client()
    draft = await world.orders.approved(stranger.org_id)
    error = await refused(client.push(draft))
    assert (error.reason, error.message) == (Reason.DRAFT_NOT_FOUND, "Draft not found")
    row = await world.orders.draft(stranger.org_id, draft)
    assert row["status"] == "APPROVED"


async def test_a_push_with_the_version_that_was_seen_succeeds(client, approved):
    reply = await client.push(await approved(), expected_version=2)
    assert reply.outcome == pb.PUSH_OUTCOME_PUSHING


async def test_a_draft_that_changed_since_is_not_pushed(world, client, approved):
    draft = await approved()
    error = await refused(client.push(draft, expected_version=1))
    assert (error.reason, error.message) == (
        Reason.VERSION_MISMATCH,
        "Changed since version 1 (current: 2)",
    )
    assert error.metadata == {"expected_version": "1", "current_version": "2"}
    assert await world.orders.exports(client.org_id, draft) == []


async def test_without_an_active_connection_nothing_is_pushed(world):
    client = world.client()
    await world.orders.connection(client.org_id, status="DISABLED")
    draft = await world.orders.approved(client.org_id)
    error = await refused(client.push(draft))
    assert (error.reason, error.message) == (
        Reason.NO_ACTIVE_CONNECTION,
        "No active ERP connection",
    )
    assert (await world.orders.draft(client.org_id, draft))["status"] == "APPROVED"


async def test_with_two_active_connections_one_must_be_named(world, client, approved):
    other = await world.orders.connection(client.org_id, kind="SFTP_CSV_V1")
    draft = await approved()
    error = await refused(client.push(draft))
    assert (error.reason, error.message) == (
        Reason.CONNECTION_AMBIGUOUS,
        "Several ERP connections are active; name one",
    )
    assert error.metadata == {"active_connections": "2"}
    await client.push(draft, erp_connection_id=str(other))
    [export] = await world.orders.exports(client.org_id, draft)
    assert export["connection_id"] == other


async def test_a_named_connection_must_be_one_of_this_tenant(world, client, approved):
    stranger = await world.orders.connection(uuid4())
    error = await refused(client.push(await approved(), erp_connection_id=str(stranger)))
    assert (error.reason, error.message) == (
        Reason.CONNECTION_NOT_FOUND,
        "ERP connection not found",
    )


async def test_a_named_connection_must_be_active(world, client, approved):
    disabled = await world.orders.connection(client.org_id, status="DISABLED")
    error = await refused(client.push(await approved(), erp_connection_id=str(disabled)))
    assert error.reason is Reason.NO_ACTIVE_CONNECTION


async def test_the_approver_of_a_large_order_may_not_push_it(world, client, approved):
    """Four eyes: above the policy's value the pusher is not the approver."""
    await world.orders.four_eyes(client.org_id, "1000.00")
    draft = await approved(value="1000.01", by="olga")
    error = await refused(client.push(draft))
    assert (error.reason, error.message) == (
        Reason.FOUR_EYES_REQUIRED,
        "Whoever approved this draft must not push it; a second person is needed",
    )
    assert error.metadata == {"rule": "pusher_is_approver", "threshold": "1000.00"}
    second = world.client(client.org_id, subject="oskar")
    assert (await second.push(draft)).outcome == pb.PUSH_OUTCOME_PUSHING


async def test_the_policy_leaves_orders_up_to_its_value_alone(world, client, approved):
    await world.orders.four_eyes(client.org_id, "1000.00")
    reply = await client.push(await approved(value="1000.00", by="olga"))
    assert reply.outcome == pb.PUSH_OUTCOME_PUSHING


async def test_every_malformed_field_is_named(client):
    request = pb.PushDraftRequest(draft_order_id="x", expected_version=0, erp_connection_id="y")
    error = await refused(client.call("PushDraft", request))
    assert error.reason is Reason.VALIDATION_FAILED
    assert [field.field for field in error.field_errors] == [
        "draft_order_id",
        "expected_version",
        "erp_connection_id",
    ]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.INTEGRATOR])
async def test_readers_may_not_push(world, client, approved, role):
    reader = world.client(client.org_id, role)
    error = await refused(reader.push(await approved()))
    assert error.reason is Reason.ROLE_REQUIRED


async def test_the_export_keeps_the_digest_of_what_was_approved(world, client, approved):
    draft = await approved()
    await client.push(draft)
    content = await world.orders.sql.fetchval(
        "SELECT content FROM approval.draft_contents WHERE draft_id = $1", draft
    )
    [export] = await world.orders.exports(client.org_id, draft)
    assert export["content_sha256"] == hashlib.sha256(content.encode()).digest()
