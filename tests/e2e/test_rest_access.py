"""Who may do what over REST, and what the gateway adds to every answer."""

import json
import time
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest
from problems import assert_problem
from system import System
from tenant import Tenant

pytestmark = pytest.mark.e2e


async def test_without_a_valid_token_every_call_is_401(system: System) -> None:
    """No token, nonsense, expired, for somebody else, signed by somebody else."""
    org = uuid4()
    good = system.token(org, "ADMIN")
    claims = jwt.decode(good, options={"verify_signature": False})
    bad = {
        "missing": None,
        "nonsense": "nonsense",
        "expired": system.token(org, "ADMIN", seconds=-600),
        "unsigned": jwt.encode(claims, None, algorithm="none"),
        "symmetric": jwt.encode(claims, "x" * 64, algorithm="HS256"),
    }
    async with httpx.AsyncClient(base_url=system.url()) as client:
        for token in bad.values():
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            answer = await client.get("/draft-orders", headers=headers)
            assert_problem(answer, 401, "UNAUTHENTICATED")
            assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("role", "method", "path", "status"),
    [
        ("VIEWER", "GET", "/draft-orders", 200),
        ("VIEWER", "GET", "/audit-log", 200),
        ("VIEWER", "POST", "/draft-orders/{id}/approve", 403),
        ("VIEWER", "POST", "/draft-orders/{id}/push", 403),
        ("OPS", "POST", "/draft-orders/{id}/approve", 200),
        ("OPERATOR", "POST", "/erp-connections", 403),
        ("OPERATOR", "GET", "/audit-log/verify", 403),
        ("INTEGRATOR", "POST", "/draft-orders/{id}/approve", 403),
        ("INTEGRATOR", "GET", "/audit-log/verify", 200),
        ("OPERATOR", "PUT", "/approval-policy", 403),
    ],
)
async def test_roles(tenant: Tenant, role: Any, method: str, path: str, status: int) -> None:
    """What a role may not do is refused by the service, and on record."""
    draft = await tenant.submit()
    client = tenant.client(role, subject="somebody")
    bodies = {
        "/erp-connections": {
            "name": "x",
            "connector_type": "DROPZONE_JSON_V1",
            "config": {"transport": "folder", "export_path": "/tmp"},
        },
        "/approval-policy": {"four_eyes_above": "1"},
    }
    answer = await client.request(method, path.format(id=draft["id"]), json=bodies.get(path))
    assert answer.status_code == status, answer.text
    if status == 403:
        problem = assert_problem(answer, 403, "ROLE_REQUIRED")
        assert role not in problem["allowed_roles"]
        [event] = await tenant.wait_audit(1, action="ACCESS_DENIED")
        assert event["actor_user_id"] == "somebody"
        assert event["request_id"] == answer.headers["x-request-id"]


async def test_the_request_id_is_kept_or_made_and_reaches_the_trail(tenant: Tenant) -> None:
    """One id from the operator's screen to the auditor's."""
    draft = await tenant.submit()
    mine = f"req-{uuid4().hex}"
    answer = await tenant.http.post(
        f"/draft-orders/{draft['id']}/approve",
        headers={"X-Request-Id": mine, "User-Agent": "test/1"},
    )
    assert answer.headers["x-request-id"] == mine
    [event] = await tenant.wait_audit(1, request_id=mine)
    assert (event["action"], event["user_agent"], event["ip"]) == (
        "DRAFT_APPROVED",
        "test/1",
        "127.0.0.1",
    )
    made = (await tenant.http.get("/draft-orders")).headers["x-request-id"]
    assert made
    assert made != mine


async def test_the_trace_goes_from_the_gateway_through_the_outbox_to_the_worker(
    start_system: Any, rabbit: Any
) -> None:
    """A traceparent in, the same trace id on the worker's delivery and in the trail."""
    system = await start_system(broker_url=rabbit.url)
    trace = uuid4().hex
    async with system.tenant() as tenant:
        draft = await tenant.approved()
        await tenant.push(draft["id"], traceparent=f"00-{trace}-{'1' * 16}-01")
        await tenant.wait_status(draft["id"], "PUSHED")
        [pushed] = await tenant.wait_audit(1, action="DRAFT_PUSHED")
        [succeeded] = await tenant.wait_audit(1, action="DRAFT_PUSH_SUCCEEDED")
        assert pushed["trace_id"] == trace
        assert succeeded["trace_id"] == trace
        [worker] = system.named("worker")
        lines = [
            json.loads(line) for line in worker.log.read_text().splitlines() if line.startswith("{")
        ]
        assert any(line.get("trace_id") == trace for line in lines)


async def test_health_docs_and_openapi(system: System) -> None:
    """The API describes itself, without a third party's server."""
    async with httpx.AsyncClient(base_url=system.url()) as client:
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/readyz")).status_code == 200
        document = (await client.get("/openapi.json")).json()
        page = await client.get("/docs")
        assert page.status_code == 200
        assert "https://" not in page.text
        assert_problem(await client.get("/nowhere"), 404, "NOT_FOUND")
        assert_problem(await client.put("/draft-orders"), 405, "METHOD_NOT_ALLOWED")
    wanted = {
        ("/draft-orders", "post"),
        ("/draft-orders", "get"),
        ("/draft-orders/{id}", "get"),
        ("/draft-orders/{id}", "patch"),
        ("/draft-orders/{id}/lines/{line_no}", "patch"),
        ("/draft-orders/{id}/validate", "post"),
        ("/draft-orders/{id}/reject", "post"),
        ("/draft-orders/{id}/approve", "post"),
        ("/draft-orders/{id}/approval", "delete"),
        ("/draft-orders/{id}/push", "post"),
        ("/draft-orders/{id}/retry-push", "post"),
        ("/draft-orders/{id}/export-preview", "get"),
        ("/draft-orders/batch-approve", "post"),
        ("/draft-orders/batch-push", "post"),
        ("/draft-orders/events", "get"),
        ("/erp-connections", "get"),
        ("/erp-connections", "post"),
        ("/audit-log", "get"),
        ("/audit-log/verify", "get"),
    }
    described = {(path, method) for path, item in document["paths"].items() for method in item}
    assert wanted <= described


async def test_every_process_shows_its_metrics(system: System, tenant: Tenant) -> None:
    """Per RPC and per route, exports by outcome, replays, outbox lag."""
    draft = await tenant.approved()
    key = {"Idempotency-Key": "m"}
    await tenant.push(draft["id"], **key)
    await tenant.push(draft["id"], **key)
    await tenant.wait_status(draft["id"], "PUSHED")
    text = {}
    async with httpx.AsyncClient() as client:
        for name, process in system.processes.items():
            answer = await client.get(f"http://127.0.0.1:{process.probe_port}/metrics")
            text[name.split("-")[0]] = answer.text
    assert "countersign_http_seconds" in text["gateway"]
    for kind in ("approval", "push", "audit"):
        assert "countersign_rpc_seconds" in text[kind]
    for name in (
        "countersign_pushes_total",
        "countersign_push_replays_total",
        "countersign_outbox_",
    ):
        assert name in text["push"]
    assert "countersign_deliveries_total" in text["worker"]


async def test_a_service_that_is_away_is_503_with_retry_after(start_system: Any) -> None:
    """The gateway says when to come back, and the detail page still shows the draft."""
    system = await start_system()
    async with system.tenant() as tenant:
        draft = await tenant.submit()
        [push] = system.named("push")
        await push.kill()
        began = time.monotonic()
        answer = await tenant.push(draft["id"])
        assert_problem(answer, 503, "UNAVAILABLE")
        assert int(answer.headers["retry-after"]) >= 1
        assert time.monotonic() - began < 15
        detail = await tenant.draft(draft["id"])
        assert detail["exports"] is None
        assert detail["degraded"] == ["exports"]
