"""Idempotency keys end to end: replays, reuse, expiry, scope."""

from uuid import UUID, uuid4

import pytest

from countersign.push.v1 import push_service_pb2 as pb
from countersign_core.errors import CountersignError
from countersign_core.reasons import Reason

pytestmark = pytest.mark.integration


async def refused(call):
    with pytest.raises(CountersignError) as caught:
        await call
    return caught.value


async def exported(world, client, draft, status):
    """Pushes with the key "k" and brings the export to `status`."""
    export = UUID((await client.push(draft, "k")).erp_export_id)
    if status in ("SENT", "ACKED"):
        await world.orders.sent(client.org_id, export)
    if status == "ACKED":
        await world.orders.acked(client.org_id, export)
    if status == "FAILED":
        await world.orders.failed(client.org_id, export)
    return str(export)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("PENDING", pb.PUSH_OUTCOME_IN_PROGRESS),
        ("SENT", pb.PUSH_OUTCOME_SENT),
        ("ACKED", pb.PUSH_OUTCOME_ACKED),
        ("FAILED", pb.PUSH_OUTCOME_FAILED),
    ],
)
async def test_second_push_with_same_key_returns_the_first_export(
    world, client, approved, status, outcome
):
    """The same key again answers the same export as it stands now, and writes nothing."""
    draft = await approved()
    export = await exported(world, client, draft, status)
    again = await client.push(draft, "k")
    assert (again.erp_export_id, again.outcome, again.replayed) == (export, outcome, True)
    assert len(await world.orders.exports(client.org_id, draft)) == 1
    assert len(await world.orders.outbox(client.org_id, "work")) == 1
    assert len(await world.orders.outbox(client.org_id, "audit")) == 1


async def test_the_quoted_key_is_the_bare_key(world, client, approved):
    draft = await approved()
    first = await client.push(draft, '"a\\"b"')
    again = await client.push(draft, 'a"b')
    assert (again.erp_export_id, again.replayed) == (first.erp_export_id, True)
    assert [row["key"] for row in await world.orders.keys(client.org_id)] == ['a"b']


async def test_two_key_headers_are_refused(world, client, approved):
    draft = await approved()
    error = await refused(client.push(draft, "k", "k"))
    assert (error.reason, error.message) == (
        Reason.IDEMPOTENCY_KEY_INVALID,
        "idempotency-key: was sent 2 times; send one",
    )
    assert [field.field for field in error.field_errors] == ["idempotency-key"]
    assert await world.orders.exports(client.org_id, draft) == []


@pytest.mark.parametrize("key", ["two words", "x" * 256, '"open'])
async def test_a_malformed_key_is_refused(client, approved, key):
    error = await refused(client.push(await approved(), key))
    assert error.reason is Reason.IDEMPOTENCY_KEY_INVALID


@pytest.mark.parametrize("change", [{"expected_version": 2}, {"erp_connection_id": "named"}])
async def test_a_key_that_comes_with_another_request_is_refused(
    world, client, approved, orders, change
):
    """422 over REST; the first export stays what it is."""
    draft = await approved()
    await client.push(draft, "k")
    if "erp_connection_id" in change:
        named = await orders.sql.fetchval("SELECT id FROM push.erp_connections LIMIT 1")
        change = {"erp_connection_id": str(named)}
    error = await refused(client.push(draft, "k", **change))
    assert (error.reason, error.message) == (
        Reason.IDEMPOTENCY_KEY_REUSED,
        "This idempotency key was used before with another request",
    )
    assert len(await world.orders.exports(client.org_id, draft)) == 1


async def test_a_request_that_fails_validation_burns_no_key(world, client, approved):
    draft = await approved()
    request = pb.PushDraftRequest(draft_order_id=str(draft), expected_version=0)
    error = await refused(client.call("PushDraft", request, "k"))
    assert error.reason is Reason.VALIDATION_FAILED
    assert await world.orders.keys(client.org_id) == []
    assert (await client.push(draft, "k")).outcome == pb.PUSH_OUTCOME_PUSHING


async def test_a_refused_push_burns_no_key(world, client):
    """What did not happen is not remembered: the same key works once the draft is approved."""
    draft = await world.orders.ready(client.org_id)
    await refused(client.push(draft, "k"))
    assert await world.orders.keys(client.org_id) == []


async def test_the_same_key_on_another_draft_is_another_key(client, approved):
    first = await client.push(await approved(), "k")
    second = await client.push(await approved(), "k")
    assert first.erp_export_id != second.erp_export_id
    assert not second.replayed


async def test_the_same_key_for_a_retry_is_another_key(world, client, approved):
    draft = await approved()
    export = await exported(world, client, draft, "FAILED")
    retried = await client.retry(draft, "k", reason="disk has space")
    assert (retried.erp_export_id != export, retried.replayed) == (True, False)


async def test_the_same_key_of_another_org_does_not_collide(world, client, approved):
    """Neither finds the other's export, not even for a draft of the same id."""
    draft = await approved()
    mine = await client.push(draft, "k")
    stranger = world.client()
    await world.orders.connection(stranger.org_id)
    theirs = await stranger.push(await world.orders.approved(stranger.org_id), "k")
    assert theirs.outcome == pb.PUSH_OUTCOME_PUSHING
    assert theirs.erp_export_id != mine.erp_export_id
    error = await refused(stranger.push(draft, "k"))
    assert error.reason is Reason.DRAFT_NOT_FOUND


async def test_an_expired_key_can_never_cause_a_second_delivery(world, client, approved):
    """The permanent guard stands below the key: the export is there, and nothing is made."""
    draft = await approved()
    first = await client.push(draft, "k")
    await world.orders.expire_keys(client.org_id)
    error = await refused(client.push(draft, "k"))
    assert error.reason is Reason.EXPORT_EXISTS
    assert error.metadata["erp_export_id"] == first.erp_export_id
    assert len(await world.orders.exports(client.org_id, draft)) == 1


async def test_an_expired_key_can_be_used_again(world, client, approved):
    """A push that is due anew takes the expired key over, with another body if it likes."""
    draft = await approved()
    first = await exported(world, client, draft, "FAILED")
    await world.orders.reapprove(client.org_id, draft)
    await world.orders.expire_keys(client.org_id)
    second = await client.push(draft, "k", expected_version=7)
    assert (second.erp_export_id != first, second.replayed) == (True, False)
    again = await client.push(draft, "k", expected_version=7)
    assert (again.erp_export_id, again.replayed) == (second.erp_export_id, True)


async def test_an_unexpired_key_answers_its_old_export_even_when_the_draft_is_approved_again(
    world, client, approved
):
    draft = await approved()
    first = await exported(world, client, draft, "FAILED")
    await world.orders.reapprove(client.org_id, draft)
    again = await client.push(draft, "k")
    assert (again.erp_export_id, again.outcome) == (first, pb.PUSH_OUTCOME_FAILED)
    assert (await world.orders.draft(client.org_id, draft))["status"] == "APPROVED"


async def test_a_key_lives_for_a_day(world, client, approved):
    await client.push(await approved(), "k")
    hours = await world.orders.sql.fetchval(
        "SELECT extract(epoch FROM expires_at - created_at) / 3600 FROM push.idempotency_keys"
    )
    assert float(hours) == 24.0


async def test_the_guard_below_the_keys_answers_as_an_existing_export(world, client, approved):
    """Should a draft ever be APPROVED beside an active export, the unique index decides."""
    draft = await approved()
    first = await client.push(draft)
    await world.orders.sql.execute("ALTER TABLE approval.draft_orders DISABLE TRIGGER USER")
    await world.orders.sql.execute(
        "UPDATE approval.draft_orders SET status = 'APPROVED' WHERE id = $1", draft
    )
    error = await refused(client.push(draft, str(uuid4())))
    assert (error.reason, error.metadata["erp_export_id"], error.metadata["current"]) == (
        Reason.EXPORT_EXISTS,
        first.erp_export_id,
        "APPROVED",
    )
    assert len(await world.orders.exports(client.org_id, draft)) == 1
    assert await world.orders.keys(client.org_id) == []
