"""Approve, push and retry, alone and in batches: what DESIGN section 4 says of each."""

from typing import Any
from uuid import uuid4

import httpx
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from countersign.approval.v1 import approval_service_pb2 as approvals
from countersign.approval.v1 import draft_pb2 as drafts
from countersign.errors.v1 import errors_pb2
from countersign.push.v1 import push_service_pb2 as pushes

EXPORT = "0e4ae0aa-0000-4000-8000-00000000000e"
APPROVED_AT = Timestamp(seconds=1_772_357_400, nanos=120_000_000)


def approved(draft_id: str) -> approvals.ApproveDraftResponse:
    return approvals.ApproveDraftResponse(
        draft_order_id=draft_id,
        status=drafts.DRAFT_STATUS_APPROVED,
        version=4,
        approval=drafts.Approval(approved_at=APPROVED_AT, approved_by_user_id="olga"),
    )


async def test_approve_answers_what_was_approved(
    http: httpx.AsyncClient, backends: Any, draft_id: str
) -> None:
    backends.answers["ApproveDraft"] = approved(draft_id)
    answer = await http.post(f"/draft-orders/{draft_id}/approve")
    assert answer.status_code == 200
    assert answer.json() == {
        "id": draft_id,
        "status": "APPROVED",
        "approved_at": "2026-03-01T09:30:00.120Z",
        "approved_by_user_id": "olga",
        "version": 4,
    }
    assert answer.headers["ETag"] == '"4"'
    assert not backends.last.request.HasField("expected_version")


@pytest.mark.parametrize(("sent", "expected"), [('"3"', 3), ("*", None), ('"12"', 12)])
async def test_if_match_is_the_expected_version(
    http: httpx.AsyncClient, backends: Any, draft_id: str, sent: str, expected: int | None
) -> None:
    backends.answers["ApproveDraft"] = approved(draft_id)
    await http.post(f"/draft-orders/{draft_id}/approve", headers={"If-Match": sent})
    request = backends.last.request
    assert (request.expected_version if request.HasField("expected_version") else None) == expected


@pytest.mark.parametrize(
    "sent", ["3", 'W/"3"', '"0"', '"-1"', '"3", "4"', '"x"', '""', '"9' + "9" * 18 + '"']
)
async def test_if_match_that_is_no_strong_version_is_400(
    http: httpx.AsyncClient, backends: Any, draft_id: str, sent: str
) -> None:
    for action in ("approve", "push", "retry-push", "reject"):
        answer = await http.post(
            f"/draft-orders/{draft_id}/{action}",
            headers={"If-Match": sent},
            json={"reason": "no"} if action == "reject" else None,
        )
        assert answer.status_code == 400
        assert [each["field"] for each in answer.json()["errors"]] == ["If-Match"]
    assert backends.received == []


async def test_two_if_match_headers_are_400(
    http: httpx.AsyncClient, backends: Any, draft_id: str
) -> None:
    headers = [("If-Match", '"3"'), ("If-Match", '"3"')]
    answer = await http.post(f"/draft-orders/{draft_id}/approve", headers=headers)
    assert answer.status_code == 400
    assert backends.received == []


@pytest.mark.parametrize(
    ("outcome", "replayed", "status", "word"),
    [
        (pushes.PUSH_OUTCOME_PUSHING, False, 200, "PUSHING"),
        (pushes.PUSH_OUTCOME_IN_PROGRESS, True, 202, "in_progress"),
        (pushes.PUSH_OUTCOME_SENT, True, 200, "SENT"),
        (pushes.PUSH_OUTCOME_ACKED, True, 200, "ACKED"),
        (pushes.PUSH_OUTCOME_FAILED, True, 200, "FAILED"),
    ],
)
@pytest.mark.parametrize("action", ["push", "retry-push"])
async def test_push_answers_by_what_it_found(
    http: httpx.AsyncClient,
    backends: Any,
    draft_id: str,
    action: str,
    outcome: Any,
    replayed: bool,
    status: int,
    word: str,
) -> None:
    backends.answers["PushDraft"] = pushes.PushDraftResponse(
        erp_export_id=EXPORT, outcome=outcome, replayed=replayed
    )
    backends.answers["RetryPush"] = pushes.RetryPushResponse(
        erp_export_id=EXPORT, outcome=outcome, replayed=replayed
    )
    headers = {"Idempotency-Key": "k-1"}
    answer = await http.post(f"/draft-orders/{draft_id}/{action}", headers=headers)
    assert answer.status_code == status
    assert answer.json() == {"erp_export_id": EXPORT, "status": word}
    assert answer.headers.get("Idempotent-Replayed") == ("true" if replayed else None)
    assert backends.last.values("idempotency-key") == ["k-1"]
    assert backends.last.seconds_left == pytest.approx(10, abs=1)


@pytest.mark.parametrize(
    ("sent", "forwarded"),
    [
        ([], []),
        (["abc"], ["abc"]),
        (['"abc"'], ['"abc"']),
        (["a", "b"], ["a", "b"]),
        (["a", "a"], ["a", "a"]),
        ([""], [""]),
        (["has space"], ["has space"]),
        (["x" * 256], ["x" * 256]),
    ],
)
async def test_every_idempotency_key_header_reaches_the_service(
    http: httpx.AsyncClient, backends: Any, draft_id: str, sent: list[str], forwarded: list[str]
) -> None:
    """The service judges them; the gateway hides none, so that it can refuse several."""
    backends.answers["PushDraft"] = pushes.PushDraftResponse(
        erp_export_id=EXPORT, outcome=pushes.PUSH_OUTCOME_PUSHING
    )
    headers = [("Idempotency-Key", value) for value in sent]
    answer = await http.post(f"/draft-orders/{draft_id}/push", headers=headers)
    assert answer.status_code == 200
    assert backends.last.values("idempotency-key") == forwarded


@pytest.mark.parametrize("key", ["ä", "x" * 5000, "tab\there"])
async def test_key_that_metadata_cannot_carry_is_400(
    http: httpx.AsyncClient, backends: Any, draft_id: str, key: str
) -> None:
    headers = {"Idempotency-Key": key.encode("latin-1")}
    answer = await http.post(f"/draft-orders/{draft_id}/push", headers=headers)
    assert answer.status_code == 400
    assert answer.json()["code"] == "IDEMPOTENCY_KEY_INVALID"
    assert backends.received == []


async def test_push_names_connection_and_reason(
    http: httpx.AsyncClient, backends: Any, draft_id: str
) -> None:
    backends.answers["RetryPush"] = pushes.RetryPushResponse(
        erp_export_id=EXPORT, outcome=pushes.PUSH_OUTCOME_PUSHING
    )
    connection = str(uuid4())
    await http.post(
        f"/draft-orders/{draft_id}/retry-push",
        json={"reason": "disk was full", "erp_connection_id": connection},
        headers={"If-Match": '"7"'},
    )
    assert backends.last.request == pushes.RetryPushRequest(
        draft_order_id=draft_id,
        expected_version=7,
        reason="disk was full",
        erp_connection_id=connection,
    )


@pytest.mark.parametrize("body", [{}, None])
async def test_empty_body_is_no_body(
    http: httpx.AsyncClient, backends: Any, draft_id: str, body: Any
) -> None:
    backends.answers["ApproveDraft"] = approved(draft_id)
    answer = await http.post(f"/draft-orders/{draft_id}/approve", json=body)
    assert answer.status_code == 200


async def test_unknown_member_of_a_push_is_named(
    http: httpx.AsyncClient, backends: Any, draft_id: str
) -> None:
    body = {"erp_connection": "x", "erp_connection_id": "y"}
    answer = await http.post(f"/draft-orders/{draft_id}/push", json=body)
    assert answer.status_code == 400
    fields = {each["field"] for each in answer.json()["errors"]}
    assert fields == {"erp_connection", "erp_connection_id"}
    assert backends.received == []


async def test_id_that_is_no_uuid_is_400(http: httpx.AsyncClient, backends: Any) -> None:
    for method, path in [("POST", "/draft-orders/1/push"), ("GET", "/draft-orders/1")]:
        answer = await http.request(method, path)
        assert answer.status_code == 400
        assert [each["field"] for each in answer.json()["errors"]] == ["id"]
    assert backends.received == []


async def test_batch_approve_has_a_result_per_draft_in_the_order_asked(
    http: httpx.AsyncClient, backends: Any
) -> None:
    first, second = str(uuid4()), str(uuid4())
    problem = errors_pb2.Problem(
        reason=errors_pb2.ERROR_REASON_WRONG_STATE,
        message="Draft must be READY to approve (current: NEW)",
        metadata={"current": "NEW", "allowed": "READY"},
    )
    backends.answers["BatchApproveDrafts"] = approvals.BatchApproveDraftsResponse(
        results=[
            approvals.BatchApproveResult(draft_order_id=second, problem=problem),
            approvals.BatchApproveResult(draft_order_id=first, approved=approved(first)),
        ]
    )
    items = [{"draft_order_id": second}, {"draft_order_id": first, "expected_version": 3}]
    answer = await http.post("/draft-orders/batch-approve", json={"items": items})
    assert answer.status_code == 200
    refused, done = answer.json()["results"]
    assert done == {
        "draft_order_id": first,
        "ok": True,
        "status": "APPROVED",
        "approved_at": "2026-03-01T09:30:00.120Z",
        "approved_by_user_id": "olga",
        "version": 4,
        "problem": None,
    }
    assert refused["ok"] is False
    assert refused["draft_order_id"] == second
    assert refused["status"] is None
    assert refused["problem"] == {
        "type": "urn:countersign:problem:wrong-state",
        "title": "Wrong state",
        "status": 409,
        "detail": "Draft must be READY to approve (current: NEW)",
        "instance": f"/draft-orders/{second}",
        "code": "WRONG_STATE",
        "request_id": answer.headers["X-Request-Id"],
        "errors": [],
        "current": "NEW",
        "allowed": ["READY"],
    }
    sent = backends.last.request.items
    assert not sent[0].HasField("expected_version")
    assert sent[1].expected_version == 3
    assert backends.last.seconds_left == pytest.approx(30, abs=1)


async def test_batch_push_carries_the_key_and_tells_replays(
    http: httpx.AsyncClient, backends: Any
) -> None:
    first, second = str(uuid4()), str(uuid4())
    replay = pushes.PushDraftResponse(
        erp_export_id=EXPORT, outcome=pushes.PUSH_OUTCOME_SENT, replayed=True
    )
    problem = errors_pb2.Problem(
        reason=errors_pb2.ERROR_REASON_EXPORT_EXISTS, metadata={"erp_export_id": EXPORT}
    )
    backends.answers["BatchPushDrafts"] = pushes.BatchPushDraftsResponse(
        results=[
            pushes.BatchPushResult(draft_order_id=first, pushed=replay),
            pushes.BatchPushResult(draft_order_id=second, problem=problem),
        ]
    )
    answer = await http.post(
        "/draft-orders/batch-push",
        json={"items": [{"draft_order_id": first}, {"draft_order_id": second}]},
        headers={"Idempotency-Key": "batch-1"},
    )
    done, refused = answer.json()["results"]
    assert done == {
        "draft_order_id": first,
        "ok": True,
        "erp_export_id": EXPORT,
        "status": "SENT",
        "replayed": True,
        "problem": None,
    }
    assert refused["problem"]["erp_export_id"] == EXPORT
    assert backends.last.values("idempotency-key") == ["batch-1"]


@pytest.mark.parametrize("operation", ["batch-approve", "batch-push"])
@pytest.mark.parametrize("count", [0, 501])
async def test_batch_of_none_or_of_more_than_500_is_400(
    http: httpx.AsyncClient, backends: Any, operation: str, count: int
) -> None:
    items = [{"draft_order_id": str(uuid4())} for _ in range(count)]
    answer = await http.post(f"/draft-orders/{operation}", json={"items": items})
    assert answer.status_code == 400
    assert [each["field"] for each in answer.json()["errors"]] == ["items"]
    assert backends.received == []
