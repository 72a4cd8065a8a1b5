"""Draft orders are changed over REST: exact numbers, every field error, merge patches."""

from typing import Any
from uuid import uuid4

import httpx
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from pydantic import TypeAdapter

from countersign.approval.v1 import approval_service_pb2 as approvals
from countersign.approval.v1 import draft_pb2 as drafts
from countersign_gateway.replies.drafts import SubmitReply

MOMENT = Timestamp(seconds=1_772_357_400, nanos=123_456_000)


def draft(draft_id: str, **changes: Any) -> drafts.Draft:
    given: dict[str, Any] = {
        "id": draft_id,
        "external_ref": "mail-1",
        "status": drafts.DRAFT_STATUS_NEEDS_REVIEW,
        "version": 2,
        "content": drafts.DraftContent(
            customer=drafts.Customer(erp_customer_number="10042"),
            lines=[drafts.DraftLine(line_no=1, qty="1.10", currency="EUR")],
        ),
        "content_version": 1,
        "content_sha256": "ab" * 32,
        "blocking_reasons": [
            drafts.BlockingReason(code="CURRENCY_MISSING", message="The order has no currency"),
            drafts.BlockingReason(code="LINE_SKU_MISSING", message="No SKU", line_no=1),
        ],
        "issues": [drafts.Issue(id="i", code="C", severity=drafts.ISSUE_SEVERITY_ERROR)],
        "total_value": "0",
        "created_at": MOMENT,
        "created_by_user_id": "olga",
        "updated_at": MOMENT,
    }
    return drafts.Draft(**(given | changes))


async def test_submit_makes_a_draft_and_says_where_it_is(
    http: httpx.AsyncClient, backends: Any, draft_id: str
) -> None:
    backends.answers["SubmitDraft"] = approvals.SubmitDraftResponse(
        draft=draft(draft_id), created=True
    )
    answer = await http.post("/draft-orders", json={"external_ref": "mail-1"})
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/draft-orders/{draft_id}"
    assert answer.headers["ETag"] == '"2"'
    body = answer.json()
    TypeAdapter(SubmitReply).validate_python(body, extra="forbid")
    assert body["status"] == "NEEDS_REVIEW"
    assert body["customer"] == {"id": None, "erp_customer_number": "10042", "name": None}
    assert body["lines"][0]["qty"] == "1.10"
    assert body["lines"][0]["unit_price"] is None
    assert [each["line_no"] for each in body["blocking_reasons"]] == [None, 1]
    assert body["issues"][0]["severity"] == "ERROR"
    assert body["created_at"] == "2026-03-01T09:30:00.123456Z"
    assert body["approval"] is None
    assert body["source_document"] == {"document_id": None, "file_name": None, "sha256": None}


async def test_known_external_ref_is_200_without_a_location(
    http: httpx.AsyncClient, backends: Any, draft_id: str
) -> None:
    backends.answers["SubmitDraft"] = approvals.SubmitDraftResponse(
        draft=draft(draft_id), created=False, content_differs=True
    )
    answer = await http.post("/draft-orders", json={"external_ref": "mail-1"})
    assert answer.status_code == 200
    assert "Location" not in answer.headers
    assert answer.json()["created"] is False
    assert answer.json()["content_differs"] is True


async def test_the_whole_order_reaches_the_service(
    http: httpx.AsyncClient, backends: Any, draft_id: str
) -> None:
    backends.answers["SubmitDraft"] = approvals.SubmitDraftResponse(draft=draft(draft_id))
    body = {
        "external_ref": "mail-1",
        "customer": {"id": "c-1", "erp_customer_number": "10042", "name": "Müller & Söhne"},
        "header": {
            "external_order_number": "PO-1",
            "order_date": "2026-03-01",
            "currency": "EUR",
            "requested_delivery_date": "2026-03-08",
            "notes": "gate 3",
            "ship_to": "Kai 5",
        },
        "lines": [
            {
                "line_no": 1,
                "internal_sku": "S-1",
                "qty": "2",
                "uom": "ST",
                "unit_price": "4.10",
                "currency": "USD",
                "customer_sku_raw": "raw",
                "description": "a \u2028 b",
            }
        ],
        "source_document": {"document_id": "d", "file_name": "f.pdf", "sha256": "0" * 64},
        "issues": [
            {
                "id": "1",
                "code": "X",
                "severity": "WARNING",
                "message": "m",
                "line_no": 1,
                "resolved": True,
            }
        ],
    }
    assert (await http.post("/draft-orders", json=body)).status_code == 200
    assert backends.last.request == approvals.SubmitDraftRequest(
        external_ref="mail-1",
        content=drafts.DraftContent(
            customer=drafts.Customer(**body["customer"]),
            header=drafts.DraftHeader(**body["header"]),
            lines=[drafts.DraftLine(**body["lines"][0])],
            source_document=drafts.SourceDocument(**body["source_document"]),
        ),
        issues=[
            drafts.Issue(
                id="1",
                code="X",
                severity=drafts.ISSUE_SEVERITY_WARNING,
                message="m",
                line_no=1,
                resolved=True,
            )
        ],
    )


@pytest.mark.parametrize(
    ("written", "received"),
    [
        ("1.10", "1.10"),
        ('"1.10"', "1.10"),
        ("3", "3"),
        ("-0.000001", "-0.000001"),
        ("0.1000000", None),
        ("123456789012.123456", "123456789012.123456"),
        ("1e2", None),
        ("true", None),
        ('""', ""),
        ("null", ""),
    ],
)
async def test_decimal_keeps_every_digit_that_was_written(
    http: httpx.AsyncClient, backends: Any, draft_id: str, written: str, received: str | None
) -> None:
    """No float touches a number: 1.10 stays 1.10; None stands for a refusal."""
    backends.answers["SubmitDraft"] = approvals.SubmitDraftResponse(draft=draft(draft_id))
    body = '{"external_ref": "a", "lines": [{"line_no": 1, "qty": ' + written + "}]}"
    headers = {"Content-Type": "application/json"}
    answer = await http.post("/draft-orders", content=body, headers=headers)
    if received is None:
        assert answer.status_code == 400
        assert [each["field"] for each in answer.json()["errors"]] == ["lines[0].qty"]
    else:
        assert answer.status_code == 200
        assert backends.last.request.content.lines[0].qty == received


async def test_every_malformed_field_is_named_at_once(
    http: httpx.AsyncClient, backends: Any
) -> None:
    body = {
        "customer": {"name": 7, "nmae": "typo"},
        "header": {"currency": "eur", "order_date": "01.03.2026"},
        "lines": [{"line_no": 1, "qty": "two"}, {"line_no": "2"}, {"qty": "1"}],
        "issues": [{"id": "1", "code": "X", "severity": "FATAL", "resolved": "yes"}],
    }
    answer = await http.post("/draft-orders", json=body)
    assert answer.status_code == 400
    assert {each["field"] for each in answer.json()["errors"]} == {
        "external_ref",
        "customer.name",
        "customer.nmae",
        "header.currency",
        "header.order_date",
        "lines[0].qty",
        "lines[1].line_no",
        "lines[2].line_no",
        "issues[0].severity",
        "issues[0].resolved",
    }
    what = {each["field"]: each["detail"] for each in answer.json()["errors"]}
    assert what["customer.nmae"] == "is not a field of this request"
    assert what["external_ref"] == "is required"
    assert backends.received == []


async def test_draft_may_be_larger_than_other_bodies(
    http: httpx.AsyncClient, backends: Any, draft_id: str
) -> None:
    backends.answers["SubmitDraft"] = approvals.SubmitDraftResponse(draft=draft(draft_id))
    lines = [{"line_no": n + 1, "description": "x" * 900} for n in range(3000)]
    answer = await http.post("/draft-orders", json={"external_ref": "a", "lines": lines})
    assert answer.status_code == 200
    assert len(backends.last.request.content.lines) == 3000


@pytest.mark.parametrize(
    ("patch", "paths"),
    [
        ({"header": {"notes": None, "currency": "EUR"}}, ["header.currency", "header.notes"]),
        (
            {"customer": None},
            ["customer.erp_customer_number", "customer.id", "customer.name"],
        ),
        ({"lines": None}, ["lines"]),
        (
            {"lines": [{"line_no": 1, "qty": 5}], "source_document": {"sha256": None}},
            ["lines", "source_document.sha256"],
        ),
        ({"resolve_issue_ids": ["i-1"]}, []),
    ],
)
async def test_merge_patch_becomes_a_field_mask(
    http: httpx.AsyncClient, backends: Any, draft_id: str, patch: Any, paths: list[str]
) -> None:
    backends.answers["EditDraft"] = approvals.EditDraftResponse(draft=draft(draft_id))
    headers = {"Content-Type": "application/merge-patch+json", "If-Match": '"2"'}
    answer = await http.patch(f"/draft-orders/{draft_id}", json=patch, headers=headers)
    assert answer.status_code == 200
    request = backends.last.request
    assert list(request.update_mask.paths) == paths
    assert request.expected_version == 2
    assert list(request.resolve_issue_ids) == patch.get("resolve_issue_ids", [])


@pytest.mark.parametrize("patch", [{}, {"header": {}}, {"resolve_issue_ids": []}])
async def test_patch_that_changes_nothing_is_400(
    http: httpx.AsyncClient, backends: Any, draft_id: str, patch: Any
) -> None:
    """An edit takes an approval back; nobody means that by an empty one."""
    answer = await http.patch(f"/draft-orders/{draft_id}", json=patch)
    assert answer.status_code == 400
    assert backends.received == []


async def test_line_patch_names_what_it_changes(
    http: httpx.AsyncClient, backends: Any, draft_id: str
) -> None:
    backends.answers["EditDraftLine"] = approvals.EditDraftLineResponse(draft=draft(draft_id))
    answer = await http.patch(
        f"/draft-orders/{draft_id}/lines/7", json={"qty": "2.50", "description": None}
    )
    assert answer.status_code == 200
    assert backends.last.request == approvals.EditDraftLineRequest(
        draft_order_id=draft_id,
        line_no=7,
        line=drafts.DraftLine(qty="2.50"),
        update_mask={"paths": ["description", "qty"]},
    )


@pytest.mark.parametrize("body", [{}, {"line_no": 3}, {"prise": "1"}])
async def test_line_patch_of_nothing_or_of_unknown_members_is_400(
    http: httpx.AsyncClient, backends: Any, draft_id: str, body: Any
) -> None:
    answer = await http.patch(f"/draft-orders/{draft_id}/lines/1", json=body)
    assert answer.status_code == 400
    assert backends.received == []


async def test_reject_needs_a_reason(http: httpx.AsyncClient, backends: Any, draft_id: str) -> None:
    path = f"/draft-orders/{draft_id}/reject"
    assert (await http.post(path)).status_code == 400
    assert (await http.post(path, json={"reason": ""})).status_code == 400
    rejection = drafts.Rejection(rejected_at=MOMENT, rejected_by_user_id="olga", reason="no")
    backends.answers["RejectDraft"] = approvals.RejectDraftResponse(
        draft=draft(draft_id, status=drafts.DRAFT_STATUS_REJECTED, rejection=rejection)
    )
    answer = await http.post(path, json={"reason": "no"}, headers={"If-Match": '"2"'})
    assert answer.json()["rejection"]["reason"] == "no"
    assert backends.last.request.expected_version == 2


async def test_validate_and_revoke_answer_the_draft(
    http: httpx.AsyncClient, backends: Any, draft_id: str
) -> None:
    backends.answers["ValidateDraft"] = approvals.ValidateDraftResponse(draft=draft(draft_id))
    backends.answers["RevokeApproval"] = approvals.RevokeApprovalResponse(draft=draft(draft_id))
    validated = await http.post(f"/draft-orders/{draft_id}/validate")
    revoked = await http.delete(f"/draft-orders/{draft_id}/approval", headers={"If-Match": '"2"'})
    assert validated.json() == revoked.json()
    assert validated.json()["status"] == "NEEDS_REVIEW"
    assert revoked.headers["ETag"] == '"2"'
    assert backends.last.request.expected_version == 2


async def test_ids_in_paths_are_sent_on_in_one_spelling(
    http: httpx.AsyncClient, backends: Any
) -> None:
    draft_id = uuid4()
    backends.answers["ValidateDraft"] = approvals.ValidateDraftResponse(draft=draft(str(draft_id)))
    await http.post(f"/draft-orders/{str(draft_id).upper()}/validate")
    assert backends.last.request.draft_order_id == str(draft_id)
