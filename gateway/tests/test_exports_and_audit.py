"""Exports, ERP connections, audit trail and approval policy over REST."""

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from pydantic import TypeAdapter

from countersign.approval.v1 import approval_service_pb2 as approvals
from countersign.audit.v1 import audit_service_pb2 as audit
from countersign.push.v1 import connection_service_pb2 as connections
from countersign.push.v1 import export_pb2 as exports
from countersign.push.v1 import push_service_pb2 as pushes
from countersign_core.errors import CountersignError
from countersign_core.reasons import Reason
from countersign_gateway.replies.audit import AuditPageReply
from countersign_gateway.replies.connections import ConnectionReply
from countersign_gateway.replies.exports import ExportReply

MOMENT = Timestamp(seconds=1_772_357_400)
WRITTEN = "2026-03-01T09:30:00Z"


def connection(**changes: Any) -> connections.Connection:
    given: dict[str, Any] = {
        "id": str(uuid4()),
        "name": "ERP",
        "connector_type": "DROPZONE_JSON_V1",
        "config_json": '{"export_path":"/in","ack_poll_seconds":1.5}',
        "secret_names": ["password"],
        "status": connections.CONNECTION_STATUS_ACTIVE,
        "version": 3,
        "created_at": MOMENT,
    }
    return connections.Connection(**(given | changes))


async def test_export_is_shown_whole(http: httpx.AsyncClient, backends: Any) -> None:
    export = exports.Export(
        id=str(uuid4()),
        draft_order_id=str(uuid4()),
        status=exports.EXPORT_STATUS_FAILED,
        file_name="sales_order.json",
        attempt=2,
        error=exports.ExportError(code="DISK_FULL", message="No space", attempt=2, at=MOMENT),
        created_at=MOMENT,
        evidence=exports.DELIVERY_EVIDENCE_INFERRED,
        outcome_unknown_since=MOMENT,
        staged=True,
    )
    backends.answers["GetExport"] = pushes.GetExportResponse(export=export)
    body = (await http.get(f"/erp-exports/{export.id}")).json()
    TypeAdapter(ExportReply).validate_python(body, extra="forbid")
    assert body["error"] == {
        "code": "DISK_FULL",
        "message": "No space",
        "attempt": 2,
        "at": WRITTEN,
    }
    assert body["evidence"] == "INFERRED"
    assert body["outcome_unknown_since"] == WRITTEN
    assert body["sent_at"] is None
    assert body["staged"] is True


async def test_stuck_and_held_exports_are_asked_for_by_filter(
    http: httpx.AsyncClient, backends: Any
) -> None:
    backends.answers["ListExports"] = pushes.ListExportsResponse(next_page_token="n")
    draft_id = str(uuid4())
    answer = await http.get(
        "/erp-exports",
        params={
            "status": "PENDING",
            "draft_order_id": draft_id,
            "stuck_for_seconds": 60,
            "held": "true",
            "created_from": WRITTEN,
            "page_token": "t",
        },
    )
    assert answer.json() == {"exports": [], "next_page_token": "n"}
    assert backends.last.request == pushes.ListExportsRequest(
        statuses=[exports.EXPORT_STATUS_PENDING],
        draft_order_id=draft_id,
        stuck_for_seconds=60,
        held=True,
        created_from=MOMENT,
        page_size=50,
        page_token="t",
    )


async def test_resolve_needs_a_verdict_and_a_reason(http: httpx.AsyncClient, backends: Any) -> None:
    export_id = str(uuid4())
    path = f"/erp-exports/{export_id}/resolve"
    for body in ({}, {"delivered": True}, {"delivered": "yes", "reason": "r"}):
        assert (await http.post(path, json=body)).status_code == 400
    assert backends.received == []
    export = exports.Export(id=export_id, status=exports.EXPORT_STATUS_FAILED)
    backends.answers["ResolveExport"] = pushes.ResolveExportResponse(export=export)
    answer = await http.post(path, json={"delivered": False, "reason": "asked the clerk"})
    assert answer.json()["status"] == "FAILED"
    assert backends.last.request.reason == "asked the clerk"


async def test_preview_is_the_document_byte_for_byte(
    http: httpx.AsyncClient, backends: Any, draft_id: str
) -> None:
    document = b'{"lines": [{"qty": "1.10"}],  "export_version": 1}'
    backends.answers["PreviewExport"] = pushes.PreviewExportResponse(document=document)
    answer = await http.get(f"/draft-orders/{draft_id}/export-preview")
    assert answer.content == document
    assert answer.headers["content-type"] == "application/json"


async def test_connection_is_made_and_its_secrets_are_not_shown(
    http: httpx.AsyncClient, backends: Any
) -> None:
    made = connection()
    backends.answers["CreateConnection"] = connections.CreateConnectionResponse(connection=made)
    body = {
        "name": "ERP",
        "connector_type": "DROPZONE_JSON_V1",
        "config": {"export_path": "/ö", "ack_poll_seconds": 1.5, "port": 22},
        "secrets": {"password": "hunter2"},
        "test_on_save": True,
    }
    answer = await http.post("/erp-connections", json=body)
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/erp-connections/{made.id}"
    assert answer.headers["ETag"] == '"3"'
    assert "hunter2" not in answer.text
    shown = answer.json()
    TypeAdapter(ConnectionReply).validate_python(shown, extra="forbid")
    assert shown["config"] == {"export_path": "/in", "ack_poll_seconds": 1.5}
    assert shown["secret_names"] == ["password"]
    request = backends.last.request
    assert json.loads(request.config_json) == body["config"]
    assert dict(request.secrets) == {"password": "hunter2"}
    assert backends.last.seconds_left == pytest.approx(20, abs=1)  # a worker tests it meanwhile


async def test_connection_patch_changes_what_it_names(
    http: httpx.AsyncClient, backends: Any
) -> None:
    changed = connection()
    backends.answers["UpdateConnection"] = connections.UpdateConnectionResponse(connection=changed)
    await http.patch(
        f"/erp-connections/{changed.id}",
        json={"secrets": {"old": None, "new": "s"}, "status": "DISABLED"},
        headers={"If-Match": '"3"'},
    )
    assert backends.last.request == connections.UpdateConnectionRequest(
        erp_connection_id=changed.id,
        expected_version=3,
        secrets={"old": "", "new": "s"},
        status=connections.CONNECTION_STATUS_DISABLED,
    )


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"test_on_save": True},
        {"name": None},
        {"config": None},
        {"status": None},
        {"status": "ON"},
        {"config": {"x": "y" * 20_001}},
        {"connector_type": "OTHER_V1"},
    ],
)
async def test_connection_patch_that_cannot_be_is_400(
    http: httpx.AsyncClient, backends: Any, body: Any
) -> None:
    answer = await http.patch(f"/erp-connections/{uuid4()}", json=body)
    assert answer.status_code == 400
    assert backends.received == []


async def test_connections_are_listed_read_and_disabled(
    http: httpx.AsyncClient, backends: Any
) -> None:
    one = connection(last_test_result=connections.ConnectionTestResult(ok=True))
    backends.answers["ListConnections"] = connections.ListConnectionsResponse(connections=[one])
    backends.answers["GetConnection"] = connections.GetConnectionResponse(connection=one)
    backends.answers["DisableConnection"] = connections.DisableConnectionResponse(connection=one)
    listed = (await http.get("/erp-connections")).json()["connections"]
    read = (await http.get(f"/erp-connections/{one.id}")).json()
    disabled = (await http.post(f"/erp-connections/{one.id}/disable")).json()
    assert listed == [read] == [disabled]
    assert read["last_test_result"]["ok"] is True


async def test_connection_test_shows_its_steps(http: httpx.AsyncClient, backends: Any) -> None:
    result = connections.ConnectionTestResult(
        ok=True,
        steps=[connections.ConnectionTestStep(name="write", ok=True, duration_ms=1.25)],
        capabilities={"posix_rename": "true"},
    )
    backends.answers["TestConnection"] = connections.TestConnectionResponse(result=result)
    answer = await http.post(f"/erp-connections/{uuid4()}/test")
    assert answer.json() == {
        "ok": True,
        "failure": None,
        "message": None,
        "steps": [{"name": "write", "ok": True, "detail": None, "duration_ms": 1.25}],
        "capabilities": {"posix_rename": "true"},
        "clock_difference_ms": 0.0,
    }
    assert backends.last.seconds_left == pytest.approx(20, abs=1)


async def test_failed_connection_test_is_424_with_its_reason(
    http: httpx.AsyncClient, backends: Any
) -> None:
    backends.answers["TestConnection"] = CountersignError(
        Reason.CONNECTION_TEST_FAILED,
        "Permission denied",
        failure="PERMISSION_DENIED",
        step="write",
    )
    answer = await http.post(f"/erp-connections/{uuid4()}/test")
    assert answer.status_code == 424
    assert answer.json()["failure"] == "PERMISSION_DENIED"
    assert answer.json()["step"] == "write"


async def test_audit_events_are_filtered_and_keep_the_hashed_text(
    http: httpx.AsyncClient, backends: Any
) -> None:
    """Whoever checks the chain over REST needs the very characters that were hashed."""
    event = audit.AuditEvent(
        event_id=str(uuid4()),
        org_id=str(uuid4()),
        seq=7,
        action="DRAFT_APPROVED",
        entity_type="draft_order",
        entity_id="d",
        before_json='{"version": 1.10}',
        occurred_at=Timestamp(seconds=1_772_357_400, nanos=1000),
        hash="ab" * 32,
        prev_hash="0" * 64,
    )
    backends.answers["ListEvents"] = audit.ListEventsResponse(events=[event], next_page_token="n")
    draft_id = str(uuid4())
    answer = await http.get(
        "/audit-log",
        params=[
            ("action", "DRAFT_APPROVED"),
            ("action", "DRAFT_PUSHED"),
            ("draft_order_id", draft_id),
            ("actor_user_id", "olga"),
            ("request_id", "r"),
            ("entity_type", "draft_order"),
            ("entity_id", "d"),
            ("occurred_to", WRITTEN),
            ("page_size", "1000"),
        ],
    )
    body = answer.json()
    TypeAdapter(AuditPageReply).validate_python(body, extra="forbid")
    assert body["events"][0]["before_json"] == '{"version": 1.10}'
    assert body["events"][0]["after"] is None
    assert body["events"][0]["occurred_at"] == "2026-03-01T09:30:00.000001Z"
    assert backends.last.request == audit.ListEventsRequest(
        actions=["DRAFT_APPROVED", "DRAFT_PUSHED"],
        draft_order_id=draft_id,
        entity_type="draft_order",
        entity_id="d",
        actor_user_id="olga",
        request_id="r",
        occurred_to=MOMENT,
        page_size=1000,
    )


async def test_chain_verdict_names_the_first_bad_link(
    http: httpx.AsyncClient, backends: Any
) -> None:
    backends.answers["VerifyChain"] = audit.VerifyChainResponse(
        checked=4, head_seq=4, first_bad_seq=5, problem="seq 5 is missing"
    )
    answer = await http.get("/audit-log/verify", params={"from_seq": 2, "to_seq": 9})
    assert answer.json() == {
        "valid": False,
        "checked": 4,
        "head_seq": 4,
        "head_hash": None,
        "first_bad_seq": 5,
        "first_bad_seal": None,
        "problem": "seq 5 is missing",
        "seals": 0,
        "sealed_seq": None,
        "removed_seq": None,
        "archive_compared": False,
        "archived_seals": 0,
    }
    assert backends.last.request == audit.VerifyChainRequest(from_seq=2, to_seq=9)


@pytest.mark.parametrize(
    ("written", "stored", "shown"),
    [("1000.50", "1000.50", "1000.50"), ("null", "", None), ('"7"', "7", "7")],
)
async def test_policy_is_replaced_whole(
    http: httpx.AsyncClient, backends: Any, written: str, stored: str, shown: str | None
) -> None:
    backends.answers["SetApprovalPolicy"] = approvals.SetApprovalPolicyResponse(
        four_eyes_above=stored
    )
    backends.answers["GetApprovalPolicy"] = approvals.GetApprovalPolicyResponse(
        four_eyes_above=stored
    )
    answer = await http.put(
        "/approval-policy",
        content='{"four_eyes_above": ' + written + "}",
        headers={"Content-Type": "application/json"},
    )
    assert backends.last.request.four_eyes_above == stored
    assert (
        answer.json() == (await http.get("/approval-policy")).json() == {"four_eyes_above": shown}
    )


@pytest.mark.parametrize("body", [{}, {"four_eyes_above": "-1"}, {"four_eyes_above": "much"}])
async def test_policy_that_is_none_is_400(
    http: httpx.AsyncClient, backends: Any, body: Any
) -> None:
    assert (await http.put("/approval-policy", json=body)).status_code == 400
    assert backends.received == []
