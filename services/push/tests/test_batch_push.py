"""BatchPushDrafts: many drafts in one statement, each with its own answer."""

from uuid import UUID, uuid4

import pytest

from countersign.errors.v1 import errors_pb2
from countersign.push.v1 import push_service_pb2 as pb
from countersign_core.errors import CountersignError
from countersign_core.reasons import Reason
from countersign_core.roles import Role

pytestmark = pytest.mark.integration


async def refused(call):
    with pytest.raises(CountersignError) as caught:
        await call
    return caught.value


def reason(result):
    return errors_pb2.ErrorReason.Name(result.problem.reason).removeprefix("ERROR_REASON_")


async def test_each_draft_has_its_own_answer_in_the_order_asked(world, client, approved):
    good, late = await approved(), await approved()
    first = (await client.push(late)).erp_export_id
    ready, nobody = await world.orders.ready(client.org_id), uuid4()
    world.wakes = 0
    results = await client.batch(nobody, good, ready, late)
    assert [result.draft_order_id for result in results] == [
        str(draft) for draft in (nobody, good, ready, late)
    ]
    assert (reason(results[0]), results[0].problem.message) == (
        "DRAFT_NOT_FOUND",
        "Draft not found",
    )
    assert results[1].pushed.outcome == pb.PUSH_OUTCOME_PUSHING
    assert reason(results[2]) == "WRONG_STATE"
    assert results[2].problem.message == "Draft must be APPROVED to push (current: READY)"
    assert dict(results[2].problem.metadata) == {"current": "READY", "allowed": "APPROVED"}
    assert reason(results[3]) == "EXPORT_EXISTS"
    assert results[3].problem.metadata["erp_export_id"] == first
    [export] = await world.orders.exports(client.org_id, good)
    assert str(export["id"]) == results[1].pushed.erp_export_id
    assert world.wakes == 1


async def test_five_hundred_drafts_are_pushed_at_once(world, client, approved):
    drafts = [await approved() for _ in range(500)]
    results = await client.batch(*drafts)
    assert {result.pushed.outcome for result in results} == {pb.PUSH_OUTCOME_PUSHING}
    assert len({result.pushed.erp_export_id for result in results}) == 500
    for lane in ("work", "audit"):
        assert len(await world.orders.outbox(client.org_id, lane)) == 500
    acts = {act.draft_order_id for act in await world.orders.acts(client.org_id)}
    assert acts == {str(draft) for draft in drafts}


async def test_the_key_covers_each_draft(world, client, approved):
    """The same batch again answers the same exports; a draft of it alone does, too."""
    drafts = [await approved(), await approved()]
    first = await client.batch(*drafts, keys=("k",))
    again = await client.batch(*drafts, keys=("k",))
    assert [result.pushed.erp_export_id for result in again] == [
        result.pushed.erp_export_id for result in first
    ]
    assert all(result.pushed.replayed for result in again)
    alone = await client.push(drafts[1], "k")
    assert alone.erp_export_id == first[1].pushed.erp_export_id
    assert len(await world.orders.keys(client.org_id)) == 2


async def test_a_batch_that_was_half_done_is_finished_with_the_same_key(client, approved):
    old, new = await approved(), await approved()
    first = await client.batch(old, keys=("k",))
    both = await client.batch(old, new, keys=("k",))
    assert (both[0].pushed.erp_export_id, both[0].pushed.replayed) == (
        first[0].pushed.erp_export_id,
        True,
    )
    assert both[1].pushed.outcome == pb.PUSH_OUTCOME_PUSHING


async def test_a_draft_that_is_named_twice_is_a_field_error(world, client, approved):
    draft, other = await approved(), await approved()
    error = await refused(client.batch(draft, other, draft, draft))
    assert error.reason is Reason.VALIDATION_FAILED
    assert [(field.field, field.description) for field in error.field_errors] == [
        ("items[2].draft_order_id", "is the same draft as items[0]"),
        ("items[3].draft_order_id", "is the same draft as items[0]"),
    ]
    assert await world.orders.exports(client.org_id, draft) == []


async def test_a_malformed_key_refuses_the_whole_batch(client, approved):
    error = await refused(client.batch(await approved(), keys=("a", "b")))
    assert error.reason is Reason.IDEMPOTENCY_KEY_INVALID


@pytest.mark.parametrize("count", [0, 501])
async def test_the_size_of_a_batch_is_bounded(client, count):
    error = await refused(client.batch(*(uuid4() for _ in range(count))))
    assert error.reason is Reason.VALIDATION_FAILED
    assert error.field_errors[0].field == "items"


async def test_drafts_of_another_tenant_look_like_drafts_of_nobody(world, client, approved):
    foreign = await world.orders.approved(uuid4())
    results = await client.batch(foreign, await approved())
    assert reason(results[0]) == "DRAFT_NOT_FOUND"
    assert results[1].pushed.outcome == pb.PUSH_OUTCOME_PUSHING


async def test_a_constraint_on_one_draft_does_not_keep_the_others(world, client, approved):
    """The statement fails as a whole; each draft is then pushed on its own."""
    bad, good = await approved(), await approved()
    export = (await client.push(bad)).erp_export_id
    await world.orders.sql.execute("ALTER TABLE approval.draft_orders DISABLE TRIGGER USER")
    await world.orders.sql.execute(
        "UPDATE approval.draft_orders SET status = 'APPROVED' WHERE id = $1", bad
    )
    results = await client.batch(bad, good)
    assert reason(results[0]) == "EXPORT_EXISTS"
    assert results[0].problem.metadata["erp_export_id"] == export
    assert results[1].pushed.outcome == pb.PUSH_OUTCOME_PUSHING


async def test_the_four_eyes_rule_holds_per_draft(world, client, approved):
    await world.orders.four_eyes(client.org_id, "100.00")
    large, small = await approved(value="100.01", by="olga"), await approved(by="olga")
    results = await client.batch(large, small)
    assert reason(results[0]) == "FOUR_EYES_REQUIRED"
    assert results[1].pushed.outcome == pb.PUSH_OUTCOME_PUSHING


async def test_connection_and_version_are_asked_per_draft(world, client, approved):
    named = await world.orders.connection(client.org_id, kind="SFTP_CSV_V1")
    drafts = [await approved() for _ in range(3)]
    items = [
        pb.PushDraftRequest(draft_order_id=str(drafts[0]), erp_connection_id=str(named)),
        pb.PushDraftRequest(draft_order_id=str(drafts[1])),
        pb.PushDraftRequest(
            draft_order_id=str(drafts[2]), erp_connection_id=str(named), expected_version=9
        ),
    ]
    reply = await client.call("BatchPushDrafts", pb.BatchPushDraftsRequest(items=items))
    assert UUID(reply.results[0].pushed.erp_export_id)
    assert reason(reply.results[1]) == "CONNECTION_AMBIGUOUS"
    assert reason(reply.results[2]) == "VERSION_MISMATCH"


async def test_readers_may_not_push_a_batch(world, client, approved):
    error = await refused(world.client(client.org_id, Role.VIEWER).batch(await approved()))
    assert error.reason is Reason.ROLE_REQUIRED
