"""The audit trail and the live feed over REST."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from problems import assert_problem
from system import System
from tenant import Tenant
from waiting import eventually

pytestmark = pytest.mark.e2e


async def test_the_trail_is_listed_filtered_and_paged(tenant: Tenant) -> None:
    """By draft, action, person and request; newest first, by cursor."""
    drafts = [await tenant.approved() for _ in range(3)]
    await tenant.wait_audit(6, action=["DRAFT_SUBMITTED", "DRAFT_APPROVED"])
    of_one = await tenant.audit(draft_order_id=drafts[0]["id"])
    assert [event["action"] for event in of_one] == ["DRAFT_APPROVED", "DRAFT_SUBMITTED"]
    assert of_one[0]["before"]["status"] == "READY"
    assert of_one[0]["after"]["status"] == "APPROVED"
    assert await tenant.audit(actor_user_id="nobody") == []
    page = (await tenant.http.get("/audit-log", params={"page_size": 2})).json()
    assert len(page["events"]) == 2
    everything = await tenant.audit()
    assert [event["seq"] for event in everything] == list(range(len(everything), 0, -1))
    params = {"page_size": 2, "action": "DRAFT_APPROVED", "page_token": page["next_page_token"]}
    assert_problem(await tenant.http.get("/audit-log", params=params), 400, "PAGE_TOKEN_INVALID")


async def test_the_chain_verifies(tenant: Tenant) -> None:
    """Over what this org did, and nothing else."""
    await tenant.approved()
    await tenant.wait_audit(1, action="DRAFT_APPROVED")
    verdict = (await tenant.http.get("/audit-log/verify")).json()
    assert verdict["valid"] is True
    assert verdict["checked"] == verdict["head_seq"] == len(await tenant.audit())


async def test_every_act_arrives_in_the_trail_exactly_once(tenant: Tenant) -> None:
    """One draft through nearly everything that can happen to it, then the count."""
    http = tenant.http
    draft = await tenant.submit(customer={"name": "Nobody"})
    path = f"/draft-orders/{draft['id']}"
    await http.patch(path, json={"customer": {"erp_customer_number": "1"}})
    await http.post(f"{path}/approve")
    await http.delete(f"{path}/approval")
    await http.post(f"{path}/validate")
    await http.post(f"{path}/approve")
    away = tenant.dropzone.with_suffix(".away")
    tenant.dropzone.rename(away)
    tenant.dropzone.write_text("")
    await http.post(f"{path}/push")
    await tenant.wait_status(draft["id"], "ERROR")
    tenant.dropzone.unlink()
    away.rename(tenant.dropzone)
    await http.post(f"{path}/retry-push", json={"reason": "mended"})
    await tenant.wait_status(draft["id"], "PUSHED")
    rejected = await tenant.submit(lines=[])
    await http.post(f"/draft-orders/{rejected['id']}/reject", json={"reason": "empty"})
    await tenant.client("VIEWER").post(f"{path}/push")
    await http.put("/approval-policy", json={"four_eyes_above": "1000000"})
    expected = Counter(
        {
            "CONNECTION_CREATED": 1,
            "DRAFT_SUBMITTED": 2,
            "DRAFT_EDITED": 2,  # the edit, and the validation that moved it
            "DRAFT_APPROVED": 2,
            "DRAFT_APPROVAL_REVOKED": 1,
            "DRAFT_PUSHED": 1,
            "DRAFT_PUSH_FAILED": 1,
            "DRAFT_PUSH_RETRIED": 1,
            "DRAFT_PUSH_SUCCEEDED": 1,
            "DRAFT_REJECTED": 1,
            "ACCESS_DENIED": 1,
            "APPROVAL_POLICY_CHANGED": 1,
        }
    )
    events = await tenant.wait_audit(expected.total())
    assert Counter(event["action"] for event in events) == expected
    assert len({event["event_id"] for event in events}) == len(events)


async def changes(client: httpx.AsyncClient, **headers: str) -> AsyncIterator[dict[str, Any]]:
    """Events of the live feed, as they come."""
    async with client.stream("GET", "/draft-orders/events", headers=headers, timeout=30) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        event: dict[str, Any] = {}
        async for line in answer.aiter_lines():
            name, _, value = line.partition(":")
            if name == "id":
                event["id"] = value.strip()
            elif name == "data":
                event |= json.loads(value)
            elif not line and event:
                yield event
                event = {}


async def test_status_changes_are_live_and_resumable(system: System, tenant: Tenant) -> None:
    """From PUSHING to PUSHED without asking; after a break nothing is missing."""
    seen: list[dict[str, Any]] = []

    async def watch() -> None:
        async for change in changes(tenant.client("VIEWER")):
            seen.append(change)  # noqa: PERF401 — seen while the feed goes on

    watching = asyncio.create_task(watch())
    await asyncio.sleep(0)
    marker = await tenant.submit()

    async def connected() -> bool:
        nonlocal marker
        if not seen:
            marker = await tenant.submit()
        return bool(seen)

    await eventually(connected, what="the feed has begun")
    draft = await tenant.approved()
    await tenant.push(draft["id"])

    async def pushed() -> bool:
        return ("PUSHED", draft["id"]) in {
            (each["to_status"], each["draft_order_id"]) for each in seen
        }

    await eventually(pushed, what="PUSHED is seen live")
    watching.cancel()
    story = [each["to_status"] for each in seen if each["draft_order_id"] == draft["id"]]
    assert story == ["READY", "APPROVED", "PUSHING", "PUSHED"]

    approved_at = next(each["id"] for each in seen if each["to_status"] == "APPROVED")
    resumed: list[str] = []

    async def resume() -> None:
        async for change in changes(tenant.client("VIEWER"), **{"Last-Event-ID": approved_at}):
            if change["draft_order_id"] == draft["id"]:
                resumed.append(change["to_status"])
            if resumed[-1:] == ["PUSHED"]:
                return

    await asyncio.wait_for(resume(), 30)
    assert resumed[-2:] == ["PUSHING", "PUSHED"]


async def test_another_tenants_changes_are_not_seen(system: System, tenant: Tenant) -> None:
    """The feed is the org's own."""
    async with system.tenant() as other:
        foreign = await other.submit()
        mine = await tenant.submit()
        async for change in changes(tenant.client("VIEWER"), **{"Last-Event-ID": "0"}):
            assert change["draft_order_id"] != foreign["id"]
            if change["draft_order_id"] == mine["id"]:
                break
