"""Fail closed: approvals wait for an audit trail that lags behind, if the installation says so."""

from typing import Any

import pytest
from tenant import Tenant
from waiting import eventually

pytestmark = pytest.mark.chaos

# Takes the customer away, so that the draft cannot be approved.
EDIT = {"customer": None}
LIMIT = {"COUNTERSIGN_AUDIT_LAG_LIMIT_SECONDS": "1"}


async def approve(tenant: Tenant, draft_id: str) -> Any:
    return await tenant.http.post(f"/draft-orders/{draft_id}/approve")


async def test_approvals_wait_while_the_audit_service_is_away_and_go_on_when_it_caught_up(
    start_system: Any,
) -> None:
    """Pushes go on all the time; what was done meanwhile is on record once."""
    system = await start_system(settings=LIMIT)
    async with system.tenant() as tenant:
        ready, approved, probe = (
            await tenant.submit(),
            await tenant.approved(),
            await tenant.submit(),
        )
        await tenant.wait_audit(3, action="DRAFT_SUBMITTED")
        [audit] = system.named("audit")
        await audit.kill()
        assert (await tenant.http.patch(f"/draft-orders/{probe['id']}", json=EDIT)).is_success

        async def is_behind() -> bool:
            # It is never READY: 409 until the trail is behind, and nothing is approved on the way.
            return bool((await approve(tenant, probe["id"])).status_code == 503)

        await eventually(is_behind, what="the lag is beyond the limit")
        refused = await approve(tenant, ready["id"])
        assert refused.status_code == 503, refused.text
        problem = refused.json()
        assert (problem["code"], problem["allowed_seconds"]) == ("AUDIT_BEHIND", 1)
        assert problem["lag_seconds"] >= 1
        assert int(refused.headers["Retry-After"]) >= 1
        items = {"items": [{"draft_order_id": ready["id"]}]}
        batch = await tenant.http.post("/draft-orders/batch-approve", json=items)
        assert (batch.status_code, batch.json()["code"]) == (503, "AUDIT_BEHIND")
        assert (await tenant.draft(ready["id"]))["status"] == "READY"

        assert (await tenant.push(approved["id"])).status_code == 200
        await tenant.wait_status(approved["id"], "PUSHED")

        await audit.start()
        await audit.ready()

        async def is_approved() -> bool:
            return bool((await approve(tenant, ready["id"])).status_code == 200)

        await eventually(is_approved, what="the trail caught up", pause=0.2)
        for action, count in (("DRAFT_SUBMITTED", 3), ("DRAFT_APPROVED", 2), ("DRAFT_PUSHED", 1)):
            await tenant.wait_audit(count, action=action)
        assert (await tenant.http.get("/audit-log/verify")).json()["valid"]
