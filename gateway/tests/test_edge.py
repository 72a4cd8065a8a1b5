"""What holds for every request: token, ids, headers, limits, errors of the gateway itself."""

import re
import uuid
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY

from countersign.push.v1 import push_service_pb2 as pushes
from countersign_core.errors import CountersignError
from countersign_core.reasons import Reason
from countersign_gateway.bootstrap import build

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def pushed(backends: Any) -> None:
    backends.answers["PushDraft"] = pushes.PushDraftResponse(
        erp_export_id="e-1", outcome=pushes.PUSH_OUTCOME_PUSHING
    )


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Basic dXNlcjpwdw=="},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer not.a.token"},
        {"Authorization": "Bearer a b"},
    ],
)
async def test_no_valid_token_is_401_before_anything_is_read(
    anonymous: httpx.AsyncClient, backends: Any, headers: dict[str, str]
) -> None:
    answer = await anonymous.post("/draft-orders", content=b"{not json", headers=headers)
    assert answer.status_code == 401
    assert answer.json()["code"] == "UNAUTHENTICATED"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert backends.received == []


async def test_expired_token_is_401(
    anonymous: httpx.AsyncClient, backends: Any, tokens: Any, draft_id: str
) -> None:
    expired = tokens.user(uuid.uuid4(), lifetime_seconds=-60)
    headers = {"Authorization": f"Bearer {expired}"}
    answer = await anonymous.post(f"/draft-orders/{draft_id}/approve", headers=headers)
    assert answer.status_code == 401
    assert "expired" in answer.json()["detail"]


async def test_two_authorization_headers_are_refused(
    anonymous: httpx.AsyncClient, token: str, draft_id: str
) -> None:
    twice = [("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}")]
    answer = await anonymous.get(f"/draft-orders/{draft_id}", headers=twice)
    assert answer.status_code == 401


async def test_every_route_but_docs_and_health_needs_a_token(anonymous: httpx.AsyncClient) -> None:
    document = (await anonymous.get("/openapi.json")).json()
    open_paths = {"/healthz", "/readyz"}
    for path, methods in document["paths"].items():
        for method in methods:
            answer = await anonymous.request(method, re.sub(r"\{\w+\}", "1", path))
            assert (answer.status_code == 401) is (path not in open_paths), (method, path)


@pytest.mark.usefixtures("pushed")
async def test_token_ids_and_caller_go_along_to_the_service(
    http: httpx.AsyncClient, backends: Any, token: str, draft_id: str
) -> None:
    headers = {
        "X-Request-Id": "req-1",
        "traceparent": TRACEPARENT,
        "User-Agent": "Konsole/1 (Größe)".encode(),
        "X-Forwarded-For": "203.0.113.9",
    }
    answer = await http.post(f"/draft-orders/{draft_id}/push", headers=headers)
    call = backends.last
    assert call.values("authorization") == [f"Bearer {token}"]
    assert call.values("x-request-id") == ["req-1"]
    assert call.values("traceparent") == [TRACEPARENT]
    assert call.values("x-forwarded-for-client") == ["127.0.0.1"]  # nobody is trusted here
    assert call.values("x-client-user-agent") == ["Konsole/1 (Gr????e)"]
    assert answer.headers["X-Request-Id"] == "req-1"
    assert answer.headers["traceparent"] == TRACEPARENT


@pytest.mark.usefixtures("pushed")
@pytest.mark.parametrize("sent", [None, "", "with space", "x" * 201, "ümlaut"])
async def test_missing_or_unfit_request_id_is_made_anew(
    http: httpx.AsyncClient, backends: Any, draft_id: str, sent: str | None
) -> None:
    headers = {} if sent is None else {"X-Request-Id": sent.encode("latin-1")}
    answer = await http.post(f"/draft-orders/{draft_id}/push", headers=headers)
    made = answer.headers["X-Request-Id"]
    assert re.fullmatch(r"[0-9a-f]{32}", made)
    assert backends.last.values("x-request-id") == [made]


@pytest.mark.usefixtures("pushed")
async def test_malformed_traceparent_is_replaced(
    http: httpx.AsyncClient, backends: Any, draft_id: str
) -> None:
    answer = await http.post(f"/draft-orders/{draft_id}/push", headers={"traceparent": "00-zz"})
    made = answer.headers["traceparent"]
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", made)
    assert backends.last.values("traceparent") == [made]


async def test_unknown_path_is_a_problem(http: httpx.AsyncClient) -> None:
    answer = await http.get("/draft-order", headers={"X-Request-Id": "r"})
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:countersign:problem:not-found",
        "title": "Nothing here",
        "status": 404,
        "detail": "There is no such path",
        "instance": "/draft-order",
        "code": "NOT_FOUND",
        "request_id": "r",
        "errors": [],
    }


async def test_wrong_method_is_a_problem_that_names_the_right_ones(http: httpx.AsyncClient) -> None:
    answer = await http.delete("/approval-policy")
    assert answer.status_code == 405
    assert answer.json()["code"] == "METHOD_NOT_ALLOWED"
    assert answer.headers["Allow"]


async def test_body_that_is_not_json_is_415(http: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "text/plain"}
    answer = await http.post("/draft-orders", content=b'{"a": 1}', headers=headers)
    assert answer.status_code == 415
    assert answer.json()["code"] == "UNSUPPORTED_MEDIA_TYPE"


@pytest.mark.parametrize("announced", [True, False])
async def test_too_large_body_is_413(http: httpx.AsyncClient, announced: bool) -> None:
    content = b'{"reason": "' + b"x" * (1 << 20) + b'"}'

    async def chunks() -> Any:
        yield content

    headers = {"Content-Type": "application/json"}
    answer = await http.post(
        "/erp-exports/5c0ffee0-0000-4000-8000-000000000001/resolve",
        content=content if announced else chunks(),
        headers=headers,
    )
    assert answer.status_code == 413
    assert answer.json()["code"] == "BODY_TOO_LARGE"


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"{", "not valid JSON"),
        (b'{"a": NaN}', "NaN is no JSON number"),
        (b'{"a": 1, "a": 2}', "the same name twice"),
        (b'{"a": 1e999}', "out of range"),
        (b"[" * 100_000, "nested too deeply"),
        (b'"\xff"', "not UTF-8"),
        (b'{"external_ref": "a\\u0000b"}', "NUL"),
        (b'{"external_ref": "\\ud800"}', "surrogate"),
    ],
)
async def test_json_that_two_readers_could_read_differently_is_refused(
    http: httpx.AsyncClient, body: bytes, what: str
) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await http.post("/draft-orders", content=body, headers=headers)
    assert answer.status_code == 400
    problem = answer.json()
    assert problem["code"] == "VALIDATION_FAILED"
    assert problem["errors"][0]["field"] == "body"
    assert what in problem["errors"][0]["detail"]


@pytest.mark.parametrize("action", ["approve", "validate"])
async def test_route_without_a_body_refuses_one_rather_than_ignore_it(
    http: httpx.AsyncClient, backends: Any, draft_id: str, action: str
) -> None:
    """Somebody who sends expected_version in the body believes it guards the call."""
    answer = await http.post(f"/draft-orders/{draft_id}/{action}", json={"expected_version": 3})
    assert answer.status_code == 400
    assert backends.received == []


async def test_every_answer_has_strict_headers(http: httpx.AsyncClient, draft_id: str) -> None:
    for path in ("/healthz", "/nowhere", "/openapi.json", f"/draft-orders/{draft_id}?x=1"):
        headers = (await http.get(path)).headers
        assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert "server" not in headers


@pytest.mark.usefixtures("pushed")
async def test_metrics_count_by_route_template(http: httpx.AsyncClient, draft_id: str) -> None:
    def count(route: str, status: str) -> float:
        labels = {"route": route, "method": "POST", "status": status}
        return REGISTRY.get_sample_value("countersign_http_seconds_count", labels) or 0.0

    before = count("/draft-orders/{id}/push", "200"), count("none", "404")
    await http.post(f"/draft-orders/{draft_id}/push")
    await http.post("/draft-orders/1/2/3/4")
    assert count("/draft-orders/{id}/push", "200") == before[0] + 1
    assert count("none", "404") == before[1] + 1


@pytest.mark.parametrize(
    ("claimed", "seen"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("198.51.100.1, 203.0.113.9", "203.0.113.9"),  # the first is the caller's own claim
        ("203.0.113.9, 127.0.0.2", "203.0.113.9"),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("unknown", "127.0.0.1"),
    ],
)
@pytest.mark.usefixtures("pushed")
async def test_trusted_proxy_is_believed_and_nobody_beyond_it(
    gateway_settings: Any, backends: Any, token: str, draft_id: str, claimed: str, seen: str
) -> None:
    service = await build(gateway_settings(trusted_proxies="127.0.0.0/8, ::1/128"))
    port = await service.start()
    headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": claimed}
    try:
        async with httpx.AsyncClient() as client:
            url = f"http://127.0.0.1:{port}/draft-orders/{draft_id}/push"
            assert (await client.post(url, headers=headers)).status_code == 200
    finally:
        await service.stop()
    assert backends.last.values("x-forwarded-for-client") == [seen]


async def test_service_that_is_away_is_503_with_retry_after(
    gateway_settings: Any, token: str, draft_id: str
) -> None:
    nobody = "127.0.0.1:1"
    service = await build(gateway_settings(push_target=nobody))
    port = await service.start()
    try:
        async with httpx.AsyncClient() as client:
            url = f"http://127.0.0.1:{port}/draft-orders/{draft_id}/push"
            answer = await client.post(url, headers={"Authorization": f"Bearer {token}"})
    finally:
        await service.stop()
    assert answer.status_code == 503
    assert answer.json()["code"] == "UNAVAILABLE"
    assert answer.headers["Retry-After"] == "1"
    assert nobody not in answer.text


async def test_probes_tell_alive_and_ready(gateway: Any, anonymous: httpx.AsyncClient) -> None:
    for base in ("", f"http://127.0.0.1:{gateway.probe_port}"):
        assert (await anonymous.get(f"{base}/healthz")).status_code == 200
        ready = await anonymous.get(f"{base}/readyz")
        assert ready.status_code == 200
        assert ready.json() == {"ready": True, "not_ready": []}


async def test_gateway_without_token_keys_is_not_ready_and_answers_503(
    gateway_settings: Any, tmp_path: Any, token: str
) -> None:
    service = await build(gateway_settings(jwks=str(tmp_path / "missing.json")))
    port = await service.start()
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            ready = await client.get("/readyz")
            headers = {"Authorization": f"Bearer {token}"}
            listed = await client.get("/erp-connections", headers=headers)
    finally:
        await service.stop()
    assert ready.status_code == 503
    assert ready.json()["not_ready"] == ["token_keys"]
    assert listed.status_code == 503


async def test_denied_role_comes_from_the_service(http: httpx.AsyncClient, backends: Any) -> None:
    backends.answers["SetApprovalPolicy"] = CountersignError(
        Reason.ROLE_REQUIRED, "Needs ADMIN", allowed_roles="ADMIN,OPERATOR"
    )
    answer = await http.put("/approval-policy", json={"four_eyes_above": None})
    assert answer.status_code == 403
    assert answer.json()["allowed_roles"] == ["ADMIN", "OPERATOR"]
