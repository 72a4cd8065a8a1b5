"""Every reason a service can give reaches the caller with its status, as a problem document."""

import re
from typing import Any

import grpc
import httpx
import pytest

from countersign.push.v1 import push_service_pb2 as pushes
from countersign_core.errors import (
    CountersignError,
    FieldError,
    InvalidRequest,
    Unavailable,
    VersionMismatch,
    WrongState,
)
from countersign_core.reasons import WIRE_STATUS, Reason

# The status of each reason, written out: the table of DESIGN section 4 and errors.proto.
EXPECTED_STATUS = {
    Reason.VALIDATION_FAILED: 400,
    Reason.UNAUTHENTICATED: 401,
    Reason.ROLE_REQUIRED: 403,
    Reason.FOUR_EYES_REQUIRED: 403,
    Reason.DRAFT_NOT_FOUND: 404,
    Reason.LINE_NOT_FOUND: 404,
    Reason.EXPORT_NOT_FOUND: 404,
    Reason.CONNECTION_NOT_FOUND: 404,
    Reason.WRONG_STATE: 409,
    Reason.ALREADY_APPROVED: 409,
    Reason.EXPORT_EXISTS: 409,
    Reason.EXPORT_ALREADY_SUCCEEDED: 409,
    Reason.OUTCOME_UNKNOWN: 409,
    Reason.CONTENT_DIGEST_MISMATCH: 409,
    Reason.VERSION_MISMATCH: 412,
    Reason.NO_ACTIVE_CONNECTION: 400,
    Reason.CONNECTION_AMBIGUOUS: 400,
    Reason.CONNECTION_ALREADY_ACTIVE: 409,
    Reason.CONNECTION_TEST_FAILED: 424,
    Reason.CONNECTION_TEST_TIMEOUT: 424,
    Reason.IDEMPOTENCY_KEY_INVALID: 400,
    Reason.IDEMPOTENCY_KEY_REUSED: 422,
    Reason.PAGE_TOKEN_INVALID: 400,
    Reason.LEASE_LOST: 412,
    Reason.RATE_LIMITED: 429,
    Reason.UNAVAILABLE: 503,
    Reason.DEADLINE_EXCEEDED: 504,
    Reason.INTERNAL: 500,
    Reason.EXPORT_WRONG_STATE: 409,
    Reason.CONNECTION_WRONG_STATE: 409,
    Reason.AUDIT_BEHIND: 503,
    Reason.ARCHIVE_DAMAGED: 500,
}
MEMBERS = {"type", "title", "status", "detail", "instance", "code", "request_id", "errors"}


def test_the_table_has_every_reason() -> None:
    assert set(EXPECTED_STATUS) == set(Reason)


@pytest.mark.parametrize("reason", list(Reason))
async def test_reason_becomes_its_status_and_problem(
    http: httpx.AsyncClient, backends: Any, draft_id: str, reason: Reason
) -> None:
    backends.answers["PushDraft"] = CountersignError(reason, "One sentence for a person")
    answer = await http.post(f"/draft-orders/{draft_id}/push", headers={"X-Request-Id": "req-7"})
    problem = answer.json()
    assert answer.status_code == EXPECTED_STATUS[reason]
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(problem) == MEMBERS
    assert problem["type"] == f"urn:countersign:problem:{reason.lower().replace('_', '-')}"
    assert problem["code"] == reason
    assert problem["status"] == EXPECTED_STATUS[reason]
    assert problem["title"] == WIRE_STATUS[reason].title
    assert problem["instance"] == f"/draft-orders/{draft_id}/push"
    assert problem["request_id"] == "req-7"
    assert problem["errors"] == []


async def test_wrong_state_carries_the_current_and_the_allowed_states(
    http: httpx.AsyncClient, backends: Any, draft_id: str
) -> None:
    sentence = "Draft must be READY to approve (current: NEW)"
    backends.answers["ApproveDraft"] = WrongState(
        Reason.WRONG_STATE, sentence, current="NEW", allowed=["READY", "EXTRACTED"]
    )
    problem = (await http.post(f"/draft-orders/{draft_id}/approve")).json()
    assert problem["detail"] == sentence
    assert problem["current"] == "NEW"
    assert problem["allowed"] == ["EXTRACTED", "READY"]


async def test_existing_export_is_named(
    http: httpx.AsyncClient, backends: Any, draft_id: str
) -> None:
    backends.answers["PushDraft"] = CountersignError(
        Reason.EXPORT_EXISTS,
        "Export already in progress or completed",
        erp_export_id="e-1",
        export_status="PENDING",
        current="PUSHING",
    )
    answer = await http.post(f"/draft-orders/{draft_id}/push")
    assert answer.status_code == 409
    problem = answer.json()
    assert problem["detail"] == "Export already in progress or completed"
    assert problem["erp_export_id"] == "e-1"
    assert problem["export_status"] == "PENDING"


async def test_version_mismatch_carries_the_versions_as_numbers(
    http: httpx.AsyncClient, backends: Any, draft_id: str
) -> None:
    backends.answers["ApproveDraft"] = VersionMismatch(expected=3, current=4)
    headers = {"If-Match": '"3"'}
    answer = await http.post(f"/draft-orders/{draft_id}/approve", headers=headers)
    assert answer.status_code == 412
    assert answer.json()["expected_version"] == 3
    assert answer.json()["current_version"] == 4


async def test_field_errors_of_a_service_have_rest_names(
    http: httpx.AsyncClient, backends: Any
) -> None:
    backends.answers["SubmitDraft"] = InvalidRequest(
        [
            FieldError("content.lines[0].qty", "is no number"),
            FieldError("content.header.currency", "is unknown"),
            FieldError("external_ref", "is taken"),
        ]
    )
    answer = await http.post("/draft-orders", json={"external_ref": "a"})
    assert answer.status_code == 400
    assert answer.json()["errors"] == [
        {"field": "lines[0].qty", "detail": "is no number"},
        {"field": "header.currency", "detail": "is unknown"},
        {"field": "external_ref", "detail": "is taken"},
    ]
    assert "content." not in answer.text


@pytest.mark.parametrize(
    ("sent", "shown"),
    [("line.qty", "qty"), ("config_json", "config"), ("statuses[1]", "status[1]")],
)
async def test_renamed_fields_are_shown_under_their_rest_name(
    http: httpx.AsyncClient, backends: Any, sent: str, shown: str
) -> None:
    backends.answers["ListConnections"] = InvalidRequest([FieldError(sent, "no")])
    problem = (await http.get("/erp-connections")).json()
    assert [each["field"] for each in problem["errors"]] == [shown]


@pytest.mark.parametrize(
    ("reason", "seconds", "header"),
    [
        (Reason.RATE_LIMITED, 2.2, "3"),
        (Reason.UNAVAILABLE, 0.2, "1"),
        (Reason.UNAVAILABLE, None, "1"),
    ],
)
async def test_refusals_for_now_say_when_to_come_back(
    http: httpx.AsyncClient,
    backends: Any,
    draft_id: str,
    reason: Reason,
    seconds: float | None,
    header: str,
) -> None:
    error = CountersignError(reason, "later")
    error.retry_after_seconds = seconds
    backends.answers["PushDraft"] = error
    answer = await http.post(f"/draft-orders/{draft_id}/push")
    assert answer.headers["Retry-After"] == header


@pytest.mark.parametrize("code", ["INTERNAL", "UNKNOWN", "UNAVAILABLE", "DEADLINE_EXCEEDED"])
async def test_a_transports_own_words_are_never_shown(
    http: httpx.AsyncClient, backends: Any, draft_id: str, code: str
) -> None:
    backends.answers["PushDraft"] = grpc.StatusCode[code]
    answer = await http.post(f"/draft-orders/{draft_id}/push")
    assert answer.status_code in {500, 503, 504}
    assert not re.search(r"10\.1\.2\.3|internal words|grpc|Traceback", answer.text, re.IGNORECASE)


async def test_a_services_words_about_its_backends_are_not_shown(
    http: httpx.AsyncClient, backends: Any, draft_id: str
) -> None:
    backends.answers["PushDraft"] = Unavailable("The database at db-7 is away")
    assert "db-7" not in (await http.post(f"/draft-orders/{draft_id}/push")).text


async def test_a_reply_that_cannot_be_read_is_an_internal_error_without_a_trace(
    http: httpx.AsyncClient, backends: Any, draft_id: str
) -> None:
    """A push outcome that this gateway does not know."""
    backends.answers["PushDraft"] = pushes.PushDraftResponse(erp_export_id="e")
    answer = await http.post(f"/draft-orders/{draft_id}/push", headers={"X-Request-Id": "r-9"})
    assert answer.status_code == 500
    assert answer.json()["code"] == "INTERNAL"
    assert answer.json()["request_id"] == "r-9"
    assert answer.headers["X-Request-Id"] == "r-9"
    assert "KeyError" not in answer.text
