"""RetryPush: a new export that follows the failed one, and why it may be refused."""

import json
from uuid import UUID, uuid4

import pytest

from countersign.push.v1 import push_service_pb2 as pb
from countersign_core.errors import CountersignError
from countersign_core.reasons import Reason
from countersign_core.roles import Role

pytestmark = pytest.mark.integration


async def refused(call):
    with pytest.raises(CountersignError) as caught:
        await call
    return caught.value


@pytest.fixture
async def pushed(client, approved):
    """A pushed draft and its export."""
    draft = await approved()
    return draft, UUID((await client.push(draft)).erp_export_id)


@pytest.fixture
async def failed(world, client, pushed):
    """A draft in ERROR and its failed export."""
    await world.orders.failed(client.org_id, pushed[1])
    return pushed


async def test_a_retry_makes_a_new_export_that_names_the_failed_one(world, client, failed):
    draft, before = failed
    reply = await client.retry(draft, reason="disk has space again")
    assert (reply.outcome, reply.replayed) == (pb.PUSH_OUTCOME_PUSHING, False)
    first, second = await world.orders.exports(client.org_id, draft)
    assert (first["id"], first["status"]) == (before, "FAILED")
    assert str(second["id"]) == reply.erp_export_id
    assert (second["retry_of"], second["retry_reason"]) == (before, "disk has space again")
    assert second["file_name"] != first["file_name"]
    assert second["content_sha256"] == first["content_sha256"]
    assert (await world.orders.draft(client.org_id, draft))["status"] == "PUSHING"
    act = (await world.orders.acts(client.org_id))[-1]
    assert (act.action, act.before_json) == ("DRAFT_PUSH_RETRIED", '{"status":"ERROR"}')
    assert json.loads(act.after_json) == {
        "status": "PUSHING",
        "erp_export_id": reply.erp_export_id,
        "reason": "disk has space again",
    }


async def test_a_refusal_by_the_erp_can_be_retried(world, client, pushed):
    draft, before = pushed
    await world.orders.sent(client.org_id, before)
    await world.orders.refused_by_erp(client.org_id, before)
    await client.retry(draft, reason="customer was unblocked")
    assert (await world.orders.exports(client.org_id, draft))[-1]["retry_of"] == before


async def test_a_second_retry_follows_the_first(world, client, failed):
    draft, _ = failed
    first = UUID((await client.retry(draft)).erp_export_id)
    await world.orders.failed(client.org_id, first)
    await client.retry(draft)
    assert (await world.orders.exports(client.org_id, draft))[-1]["retry_of"] == first


@pytest.mark.parametrize("acked", [False, True])
async def test_what_succeeded_is_not_retried(world, client, pushed, acked):
    draft, export = pushed
    await world.orders.sent(client.org_id, export)
    if acked:
        await world.orders.acked(client.org_id, export)
    error = await refused(client.retry(draft))
    assert (error.reason, error.message) == (
        Reason.EXPORT_ALREADY_SUCCEEDED,
        "Export already succeeded",
    )
    assert error.metadata == {
        "erp_export_id": str(export),
        "export_status": "ACKED" if acked else "SENT",
        "current": "PUSHED",
    }


async def test_what_is_under_way_is_not_retried(client, pushed):
    draft, export = pushed
    error = await refused(client.retry(draft))
    assert (error.reason, error.message) == (
        Reason.EXPORT_EXISTS,
        "Export already in progress or completed",
    )
    assert error.metadata["erp_export_id"] == str(export)


async def test_nothing_is_retried_while_an_outcome_is_unknown(world, client, pushed):
    """The ERP may have the file: a retry could double the order."""
    draft, export = pushed
    await world.orders.held(client.org_id, export)
    error = await refused(client.retry(draft))
    assert (error.reason, error.message) == (
        Reason.OUTCOME_UNKNOWN,
        "Whether the last export reached the ERP is not known yet",
    )
    assert error.metadata["erp_export_id"] == str(export)


@pytest.mark.parametrize("status", ["APPROVED", "READY"])
async def test_another_state_is_refused(world, client, approved, status):
    draft = await approved() if status == "APPROVED" else await world.orders.ready(client.org_id)
    error = await refused(client.retry(draft))
    assert (error.reason, error.message) == (
        Reason.WRONG_STATE,
        f"Draft must be ERROR to retry (current: {status})",
    )
    assert error.metadata == {"current": status, "allowed": "ERROR"}


async def test_a_draft_of_nobody_is_not_found(client):
    error = await refused(client.retry(uuid4()))
    assert (error.reason, error.message) == (Reason.DRAFT_NOT_FOUND, "Draft not found")


async def test_a_draft_that_changed_since_is_not_retried(client, failed):
    error = await refused(client.retry(failed[0], expected_version=1))
    assert error.reason is Reason.VERSION_MISMATCH


async def test_a_retry_needs_a_connection_too(world, client, failed):
    await world.orders.sql.execute("UPDATE push.erp_connections SET status = 'DISABLED'")
    error = await refused(client.retry(failed[0]))
    assert (error.reason, error.message) == (
        Reason.NO_ACTIVE_CONNECTION,
        "No active ERP connection",
    )


async def test_a_retry_can_go_through_another_connection(world, client, failed):
    other = await world.orders.connection(client.org_id, kind="SFTP_CSV_V1")
    await client.retry(failed[0], erp_connection_id=str(other))
    exports = await world.orders.exports(client.org_id, failed[0])
    assert exports[-1]["connection_id"] == other


async def test_the_same_key_again_answers_the_same_retry(world, client, failed):
    draft, _ = failed
    first = await client.retry(draft, "k", reason="again")
    again = await client.retry(draft, "k", reason="again")
    assert (again.erp_export_id, again.outcome, again.replayed) == (
        first.erp_export_id,
        pb.PUSH_OUTCOME_IN_PROGRESS,
        True,
    )
    assert len(await world.orders.exports(client.org_id, draft)) == 2


async def test_the_same_key_with_another_reason_is_another_request(client, failed):
    await client.retry(failed[0], "k", reason="again")
    error = await refused(client.retry(failed[0], "k", reason="and again"))
    assert error.reason is Reason.IDEMPOTENCY_KEY_REUSED


async def test_readers_may_not_retry(world, client, failed):
    error = await refused(world.client(client.org_id, Role.VIEWER).retry(failed[0]))
    assert error.reason is Reason.ROLE_REQUIRED


async def test_the_four_eyes_rule_holds_for_retries(world, client, failed):
    await world.orders.four_eyes(client.org_id, "1.00")
    approver = world.client(client.org_id, subject="anna")
    error = await refused(approver.retry(failed[0]))
    assert error.reason is Reason.FOUR_EYES_REQUIRED


async def test_a_reason_with_control_characters_is_kept_readable(world, client, failed):
    """PostgreSQL stores no NUL; the operator's words must not end as an internal error."""
    await client.retry(failed[0], "k", reason="disk\x00full\n")
    assert (await world.orders.exports(client.org_id, failed[0]))[-1]["retry_reason"] == (
        "disk\N{REPLACEMENT CHARACTER}full\n"
    )
