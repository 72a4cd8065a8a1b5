"""An HTTP endpoint end to end: REST, push, worker, a real server in the ERP's place."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from problems import assert_problem
from system import System
from tenant import Tenant
from waiting import eventually

from countersign_core.roles import Role
from countersign_export_worker.testing.erp_server import ErpServer, Received, answering, swallow

pytestmark = pytest.mark.e2e

OLD, NEW = "the-secret-of-last-year", "the-secret-of-this-year"


@pytest_asyncio.fixture(loop_scope="session")
async def erp() -> AsyncIterator[ErpServer]:
    async with ErpServer() as server:
        yield server


@pytest.fixture
async def tenant(system: System) -> AsyncIterator[Tenant]:
    async with system.tenant(connected=False) as made:
        yield made


async def connect(tenant: Tenant, erp: ErpServer, **changes: Any) -> dict[str, Any]:
    body = {
        "name": "HTTP",
        "connector_type": "HTTP_JSON_V1",
        "config": {
            "url": erp.url,
            "allow_insecure": True,
            "allow_private_addresses": True,
            "timeout_seconds": 1,
        },
        "secrets": {"hmac_secret": OLD},
        "terms": {"first_delay_seconds": 0.2, "longest_delay_seconds": 0.4},
        "test_on_save": True,
    }
    answer = await tenant.http.post("/erp-connections", json=body | changes)
    assert answer.status_code == 201, answer.text
    return answer.json()  # type: ignore[no-any-return]


async def exports(tenant: Tenant, **filters: Any) -> list[dict[str, Any]]:
    answer = await tenant.http.get("/erp-exports", params=filters)
    return answer.json()["exports"]  # type: ignore[no-any-return]


async def held(tenant: Tenant) -> dict[str, Any]:
    """The one export that is held, once there is one."""
    found = await eventually(lambda: exports(tenant, held=True), what="an export is held")
    return found[0]  # type: ignore[no-any-return]


def is_signed(order: Received, secret: str) -> bool:
    parts = [part.split("=", 1) for part in order.headers["x-countersign-signature"].split(",")]
    [moment] = [value for name, value in parts if name == "t"]
    signed = f"{moment}.{order.headers['idempotency-key']}.".encode() + order.body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() in {
        value: name for name, value in parts
    }


async def test_an_order_is_posted_once_and_signed(tenant: Tenant, erp: ErpServer) -> None:
    """The document that a preview shows, under the export's id, with a signature that verifies."""
    made = await connect(tenant, erp)
    assert made["last_test_result"]["ok"]
    assert made["secret_names"] == ["hmac_secret"]
    draft = await tenant.approved()
    await tenant.push(draft["id"])
    await tenant.wait_status(draft["id"], "PUSHED")
    [order], [export] = erp.orders, await exports(tenant)
    assert order.headers["idempotency-key"] == export["id"]
    assert is_signed(order, OLD)
    assert not is_signed(order, NEW)
    assert json.loads(order.body)["draft_order_id"] == draft["id"]
    assert hashlib.sha256(order.body).hexdigest() == export["document_sha256"]
    assert (export["status"], export["evidence"]) == ("SENT", "ACCEPTED")
    document = await tenant.http.get(f"/erp-exports/{export['id']}/document")
    assert document.content == order.body


async def test_a_secret_is_changed_without_a_rejected_order(tenant: Tenant, erp: ErpServer) -> None:
    """While both are set, an ERP that knows either of them can verify."""
    made = await connect(tenant, erp)
    change = {"secrets": {"hmac_secret": NEW, "hmac_secret_previous": OLD}}
    answer = await tenant.http.patch(f"/erp-connections/{made['id']}", json=change)
    assert answer.status_code == 200, answer.text
    draft = await tenant.approved()
    await tenant.push(draft["id"])
    await tenant.wait_status(draft["id"], "PUSHED")
    assert [is_signed(erp.orders[0], secret) for secret in (OLD, NEW)] == [True, True]


async def test_an_order_that_got_no_answer_is_held_and_settled_by_an_administrator(
    tenant: Tenant, erp: ErpServer
) -> None:
    """Never sent again by itself, whoever looks; the trail says who settled it and why."""
    await connect(tenant, erp)
    erp.behave = swallow
    draft = await tenant.approved()
    await tenant.push(draft["id"])
    export = await held(tenant)
    assert export["error"]["code"] == "OUTCOME_UNKNOWN"
    erp.behave = answering(201)

    async def tried_again() -> bool:
        return bool((await held(tenant))["attempt"] >= 4)

    await eventually(tried_again, what="the held export was looked at again")
    assert len(erp.orders) == 1
    retry = await tenant.http.post(f"/draft-orders/{draft['id']}/retry-push")
    assert retry.status_code == 409, retry.text

    path, body = f"/erp-exports/{export['id']}/resolve", {"delivered": True, "reason": "ERP 4711"}
    operator = tenant.client(Role.OPERATOR, subject="olga")
    assert_problem(await operator.post(path, json=body), 403, "ROLE_REQUIRED")
    settled = await tenant.client(Role.ADMIN, subject="ada").post(path, json=body)
    assert (settled.status_code, settled.json()["status"]) == (200, "SENT")
    await tenant.wait_status(draft["id"], "PUSHED")
    [event] = await tenant.wait_audit(1, action="EXPORT_RESOLVED")
    assert (event["actor_user_id"], event["after"]["reason"]) == ("ada", "ERP 4711")
    assert len(erp.orders) == 1


async def test_an_order_that_never_arrived_is_settled_and_pushed_anew(
    tenant: Tenant, erp: ErpServer
) -> None:
    """Not delivered: the draft is in ERROR, and a retry is another export with another key."""
    await connect(tenant, erp)
    erp.behave = swallow
    draft = await tenant.approved()
    await tenant.push(draft["id"])
    export = await held(tenant)
    erp.behave = answering(201)

    async def settled() -> bool:
        # Refused while a worker is looking at it.
        body = {"delivered": False, "reason": "not in the ERP's list"}
        answer = await tenant.http.post(f"/erp-exports/{export['id']}/resolve", json=body)
        return answer.status_code == 200

    await eventually(settled, what="the export is settled")
    await tenant.wait_status(draft["id"], "ERROR")
    answer = await tenant.http.post(f"/draft-orders/{draft['id']}/retry-push")
    assert answer.status_code == 200, answer.text
    await tenant.wait_status(draft["id"], "PUSHED")
    first, second = (order.headers["idempotency-key"] for order in erp.orders)
    assert first != second
    dedup_keys = {json.loads(order.body)["meta"]["dedup_key"] for order in erp.orders}
    assert len(dedup_keys) == 1


async def test_a_busy_erp_is_asked_again_when_it_said(tenant: Tenant, erp: ErpServer) -> None:
    """The wish is on the export for operators to see, and the key stays the same."""
    await connect(tenant, erp)
    erp.behave = answering(503, Retry_After="3")
    draft = await tenant.approved()
    await tenant.push(draft["id"])
    retrying = await eventually(lambda: exports(tenant, retrying=True), what="it is put off")
    assert retrying[0]["error"]["code"] == "ERP_BUSY"
    erp.behave = answering(201)
    await tenant.wait_status(draft["id"], "PUSHED")
    assert len({order.headers["idempotency-key"] for order in erp.orders}) == 1
    assert len(erp.orders) == 2


async def test_an_order_that_the_erp_refuses_fails_with_its_words(
    tenant: Tenant, erp: ErpServer
) -> None:
    await connect(tenant, erp)
    erp.behave = answering(422, "customer 12923 is locked")
    draft = await tenant.approved()
    await tenant.push(draft["id"])
    await tenant.wait_status(draft["id"], "ERROR")
    [export] = await exports(tenant)
    assert export["error"]["code"] == "REJECTED_BY_ERP"
    assert "customer 12923 is locked" in export["error"]["message"]
    assert len(erp.orders) == 1


async def test_an_endpoint_inside_is_refused_unless_allowed(tenant: Tenant, erp: ErpServer) -> None:
    """By the test before saving; nothing is saved, and nothing was connected to."""
    body = {
        "name": "HTTP",
        "connector_type": "HTTP_JSON_V1",
        "config": {"url": erp.url, "allow_insecure": True},
        "secrets": {"hmac_secret": OLD},
        "test_on_save": True,
    }
    answer = await tenant.http.post("/erp-connections", json=body)
    problem = assert_problem(answer, 424, "CONNECTION_TEST_FAILED")
    assert problem["failure"] == "ADDRESS_REFUSED"
    assert erp.connections == 0
