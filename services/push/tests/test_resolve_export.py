"""ResolveExport: an administrator settles a held export, on record."""

import json
from uuid import UUID, uuid4

import pytest

from countersign.push.v1 import export_pb2
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
def admin(world, client):
    """An ADMIN of the operator's org."""
    return world.client(client.org_id, Role.ADMIN, subject="ada")


@pytest.fixture
async def pushed(client, approved):
    """A pushed draft and its export."""
    draft = await approved()
    return draft, UUID((await client.push(draft)).erp_export_id)


@pytest.fixture
async def held(world, client, pushed):
    """A draft whose export is held; no worker is at it."""
    await world.orders.held(client.org_id, pushed[1])
    return pushed


async def resolve(client, export, *, delivered, reason="seen in the ERP"):
    request = pb.ResolveExportRequest(erp_export_id=str(export), delivered=delivered, reason=reason)
    return (await client.call("ResolveExport", request)).export


async def test_delivered_makes_it_sent_and_the_draft_pushed(world, admin, held):
    draft, export = held
    world.wakes = 0
    shown = await resolve(admin, export, delivered=True)
    assert shown.status == export_pb2.EXPORT_STATUS_SENT
    assert shown.evidence == export_pb2.DELIVERY_EVIDENCE_RESOLVED
    assert shown.HasField("sent_at")
    assert not shown.HasField("outcome_unknown_since")
    assert (await world.orders.draft(admin.org_id, draft))["status"] == "PUSHED"
    assert world.wakes == 1


async def test_not_delivered_makes_it_failed_and_the_draft_an_error(world, admin, client, held):
    draft, export = held
    shown = await resolve(admin, export, delivered=False, reason="not in the ERP")
    assert shown.status == export_pb2.EXPORT_STATUS_FAILED
    assert (shown.error.code, shown.error.message) == ("RESOLVED_NOT_DELIVERED", "not in the ERP")
    assert (shown.error.attempt, shown.error.HasField("at")) == (1, True)
    assert (await world.orders.draft(admin.org_id, draft))["status"] == "ERROR"
    retried = await client.retry(draft)
    assert retried.outcome == pb.PUSH_OUTCOME_PUSHING


async def test_not_delivered_waits_for_the_worker_that_is_at_it(world, admin, client, held):
    """It may be renaming the file at this moment: then FAILED would double the order."""
    _, export = held
    await world.orders.held(client.org_id, export, leased=True)
    error = await refused(resolve(admin, export, delivered=False))
    assert (error.reason, error.message) == (
        Reason.EXPORT_WRONG_STATE,
        "A worker is trying this export right now; settle it once its lease is over",
    )
    assert (await resolve(admin, export, delivered=True)).status == export_pb2.EXPORT_STATUS_SENT


async def test_a_worker_at_it_loses_its_lease(world, admin, held):
    await resolve(admin, held[1], delivered=True)
    [row] = await world.orders.exports(admin.org_id, held[0])
    assert (row["fence"], row["leased_until"], row["leased_by"]) == (2, None, None)


@pytest.mark.parametrize("delivered", [True, False])
async def test_one_act_is_one_event(world, admin, held, delivered):
    """EXPORT_RESOLVED stands for the export's and the draft's step."""
    draft, export = held
    await resolve(admin, export, delivered=delivered)
    pushed, act = await world.orders.acts(admin.org_id)
    assert pushed.action == "DRAFT_PUSHED"
    assert (act.action, act.entity_type, act.entity_id) == (
        "EXPORT_RESOLVED",
        "erp_export",
        str(export),
    )
    assert (act.draft_order_id, act.actor_user_id) == (str(draft), "ada")
    before = json.loads(act.before_json)
    assert (before["status"], before["draft_status"]) == ("PENDING", "PUSHING")
    assert before["outcome_unknown_since"]
    assert json.loads(act.after_json) == {
        "status": "SENT" if delivered else "FAILED",
        "draft_status": "PUSHED" if delivered else "ERROR",
        "reason": "seen in the ERP",
    }


async def test_only_a_held_export_can_be_settled(world, admin, pushed):
    error = await refused(resolve(admin, pushed[1], delivered=True))
    assert (error.reason, error.message) == (
        Reason.EXPORT_WRONG_STATE,
        "Export must be held to resolve (current: PENDING, not held)",
    )
    assert error.metadata == {"current": "PENDING", "allowed": "PENDING", "held": "false"}
    await world.orders.sent(admin.org_id, pushed[1])
    error = await refused(resolve(admin, pushed[1], delivered=False))
    assert error.message == "Export must be held to resolve (current: SENT, not held)"


async def test_what_was_settled_once_stays_settled(world, admin, held):
    await resolve(admin, held[1], delivered=True)
    error = await refused(resolve(admin, held[1], delivered=False))
    assert error.reason is Reason.EXPORT_WRONG_STATE
    assert (await world.orders.draft(admin.org_id, held[0]))["status"] == "PUSHED"


async def test_an_export_of_another_tenant_looks_like_one_of_nobody(world, held):
    stranger = world.client(None, Role.ADMIN)
    for export in (held[1], uuid4()):
        error = await refused(resolve(stranger, export, delivered=True))
        assert (error.reason, error.message) == (Reason.EXPORT_NOT_FOUND, "Export not found")


async def test_a_reason_is_required(admin, held):
    error = await refused(resolve(admin, held[1], delivered=True, reason=""))
    assert error.reason is Reason.VALIDATION_FAILED
    assert [field.field for field in error.field_errors] == ["reason"]


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.INTEGRATOR, Role.VIEWER])
async def test_only_an_administrator_may(world, client, held, role):
    error = await refused(resolve(world.client(client.org_id, role), held[1], delivered=True))
    assert error.reason is Reason.ROLE_REQUIRED
    assert error.metadata == {"allowed_roles": "ADMIN"}


async def test_without_the_draft_s_step_the_export_takes_none(world, admin, held):
    """Both or nothing: a draft that is not PUSHING undoes the statement."""
    draft, export = held
    await world.orders.sql.execute("ALTER TABLE approval.draft_orders DISABLE TRIGGER USER")
    await world.orders.sql.execute(
        "UPDATE approval.draft_orders SET status = 'APPROVED' WHERE id = $1", draft
    )
    error = await refused(resolve(admin, export, delivered=True))
    assert error.reason is Reason.INTERNAL
    [row] = await world.orders.exports(admin.org_id, draft)
    assert row["status"] == "PENDING"
