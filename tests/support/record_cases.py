"""Every RPC and every transition: how it is made to act, and what it must leave on record."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from record_stage import (
    AGENT,
    FAILURE,
    IP,
    TRACE_ID,
    WORKER,
    Stage,
    content,
    folder,
    staged_report,
)
from tenant import order

from countersign_core.audit_actions import AuditAction
from countersign_core.lifecycle import (
    DraftStatus,
    ExportStatus,
)

A = AuditAction

Prepare = Callable[[Stage], Awaitable[dict[str, Any]]]
Beside = Callable[[Stage], Awaitable[None]]


@dataclass(frozen=True)
class Rpc:
    """How an RPC is called so that it does something, and what it must leave on record.

    `prepare` makes the state that it needs and returns the request's fields.
    """

    prepare: Prepare
    leaves: tuple[AuditAction, ...] = ()
    beside: Beside | None = None


def draft(state: str, **fields: Any) -> Prepare:
    """A request about a draft that is in a state."""

    async def prepare(stage: Stage) -> dict[str, Any]:
        made = await getattr(stage, state)()
        return {"draft_order_id": made if isinstance(made, str) else made[0], **fields}

    return prepare


def drafts(state: str) -> Prepare:
    async def prepare(stage: Stage) -> dict[str, Any]:
        return {"items": [{"draft_order_id": await getattr(stage, state)()} for _ in range(2)]}

    return prepare


def export(state: str, **fields: Any) -> Prepare:
    async def prepare(stage: Stage) -> dict[str, Any]:
        return {"erp_export_id": (await getattr(stage, state)())[1], **fields}

    return prepare


def connection(**fields: Any) -> Prepare:
    async def prepare(stage: Stage) -> dict[str, Any]:
        return {"erp_connection_id": await stage.connection(), **fields}

    return prepare


def leased(state: str, **fields: Any) -> Prepare:
    async def prepare(stage: Stage) -> dict[str, Any]:
        _, lease = await getattr(stage, state)()
        return {"lease": lease.as_json(), **fields}

    return prepare


def plain(**fields: Any) -> Prepare:
    async def prepare(_stage: Stage) -> dict[str, Any]:
        return fields

    return prepare


async def a_submit(_stage: Stage) -> dict[str, Any]:
    return {"external_ref": uuid4().hex, "content": content()}


async def a_stale_check(stage: Stage) -> dict[str, Any]:
    """As after a change of the rules: what is on record is not what the check finds now."""
    made = await stage.ready()
    await stage.owner.execute(
        "UPDATE approval.draft_orders SET status = 'NEEDS_REVIEW', version = version + 1"
        " WHERE id = $1",
        UUID(made),
    )
    return {"draft_order_id": made}


async def a_new_connection(stage: Stage) -> dict[str, Any]:
    await stage.tenant.http.post(f"/erp-connections/{await stage.connection()}/disable")
    return {
        "name": "second",
        "connector_type": "DROPZONE_JSON_V1",
        "config_json": folder(stage),
    }


async def a_paused_connection(stage: Stage) -> dict[str, Any]:
    found = await stage.connection()
    paused = await stage.tenant.http.post(
        f"/erp-connections/{found}/pause", json={"reason": "works"}
    )
    assert paused.is_success, paused.text
    return {"erp_connection_id": found}


async def run_one_test(stage: Stage) -> None:
    """The worker's half of a connection test."""
    claimed = await stage.work("ClaimConnectionTest", worker_id=WORKER, wait_seconds=10)
    await stage.work(
        "ReportConnectionTest", org_id=stage.org, test_id=claimed.test_id, result={"ok": True}
    )


async def an_asked_test(stage: Stage) -> dict[str, Any]:
    """A test that a person waits for; the request reports it."""
    found = await stage.connection()
    stage.asked = asyncio.create_task(  # type: ignore[attr-defined] # kept alive
        stage.tenant.http.post(f"/erp-connections/{found}/test")
    )
    claimed = await stage.work("ClaimConnectionTest", worker_id=WORKER, wait_seconds=10)
    return {"org_id": stage.org, "test_id": claimed.test_id, "result": {"ok": True}}


def an_ack(*, accepted: bool) -> Prepare:
    async def prepare(stage: Stage) -> dict[str, Any]:
        _, file_name = await stage.sent()
        answer = {"erp_order_id": "4711"} if accepted else {"error": FAILURE}
        return {
            "org_id": stage.org,
            "erp_connection_id": await stage.connection(),
            "file_name": file_name,
            "accepted": accepted,
            **answer,
        }

    return prepare


async def a_staged_report(stage: Stage) -> dict[str, Any]:
    _, lease = await stage.claimed()
    return staged_report(lease)


async def a_batch(stage: Stage) -> dict[str, Any]:
    _, sent = await stage.staged()
    _, failed = await stage.claimed()
    return {
        "items": [
            {"sent": {"lease": sent.as_json(), "evidence": 1}},
            {"failed": {"lease": failed.as_json(), "error": FAILURE}},
        ]
    }


async def a_claim(stage: Stage) -> dict[str, Any]:
    _, made = await stage.pushed()
    return {"org_id": stage.org, "export_id": made, "worker_id": WORKER}


async def a_leftover(stage: Stage) -> dict[str, Any]:
    _, made = await stage.pushed()
    leftover = {"name": ".tmp.x", "export_id": made, "fence": 1}
    return {"org_id": stage.org, "leftovers": [leftover]}


def of_connection(**fields: Any) -> Prepare:
    async def prepare(stage: Stage) -> dict[str, Any]:
        found = await stage.connection()
        return {"org_id": stage.org, "erp_connection_id": found, "worker_id": WORKER, **fields}

    return prepare


async def an_event(stage: Stage) -> dict[str, Any]:
    event = {
        "event_id": str(uuid4()),
        "org_id": stage.org,
        "action": "DRAFT_EDITED",
        "entity_type": "draft_order",
        "entity_id": "d-1",
        "actor_user_id": "olga",
        "before_json": "{}",
        "after_json": "{}",
        "request_id": "r",
        "trace_id": TRACE_ID,
        "ip": IP,
        "user_agent": AGENT,
        "occurred_at": "2026-03-01T09:30:00Z",
    }
    return {"events": [event]}


_APPROVAL = "/countersign.approval.v1.ApprovalService/"
_PUSH = "/countersign.push.v1.PushService/"
_CONNECTION = "/countersign.push.v1.ConnectionService/"
_WORK = "/countersign.push.v1.WorkService/"
_AUDIT = "/countersign.audit.v1.AuditService/"
_SEALS = "/countersign.audit.v1.SealService/"

RPCS: dict[str, Rpc] = {
    _APPROVAL + "SubmitDraft": Rpc(a_submit, (A.DRAFT_SUBMITTED,)),
    _APPROVAL + "GetDraft": Rpc(draft("ready")),
    _APPROVAL + "GetDraftContent": Rpc(draft("ready", content_version=1)),
    _APPROVAL + "ListDrafts": Rpc(plain()),
    _APPROVAL + "CountDrafts": Rpc(plain()),
    _APPROVAL + "EditDraft": Rpc(
        draft("ready", content={"header": {"notes": "x"}}, update_mask="header.notes"),
        (A.DRAFT_EDITED,),
    ),
    _APPROVAL + "EditDraftLine": Rpc(
        draft("approved", line_no=1, line={"qty": "3"}, update_mask="qty"),
        (A.DRAFT_APPROVAL_REVOKED, A.DRAFT_EDITED),
    ),
    _APPROVAL + "ValidateDraft": Rpc(a_stale_check, (A.DRAFT_EDITED,)),
    _APPROVAL + "ApproveDraft": Rpc(draft("ready"), (A.DRAFT_APPROVED,)),
    _APPROVAL + "BatchApproveDrafts": Rpc(drafts("ready"), (A.DRAFT_APPROVED, A.DRAFT_APPROVED)),
    _APPROVAL + "RevokeApproval": Rpc(draft("approved"), (A.DRAFT_APPROVAL_REVOKED,)),
    _APPROVAL + "RejectDraft": Rpc(draft("in_review", reason="no"), (A.DRAFT_REJECTED,)),
    _APPROVAL + "WatchDrafts": Rpc(plain()),
    _APPROVAL + "GetApprovalPolicy": Rpc(plain()),
    _APPROVAL + "SetApprovalPolicy": Rpc(
        plain(four_eyes_above="1000.00"), (A.APPROVAL_POLICY_CHANGED,)
    ),
    _PUSH + "PushDraft": Rpc(draft("approved"), (A.DRAFT_PUSHED,)),
    _PUSH + "RetryPush": Rpc(draft("failed", reason="again"), (A.DRAFT_PUSH_RETRIED,)),
    _PUSH + "BatchPushDrafts": Rpc(drafts("approved"), (A.DRAFT_PUSHED, A.DRAFT_PUSHED)),
    _PUSH + "GetExport": Rpc(export("pushed")),
    _PUSH + "ListExports": Rpc(plain()),
    _PUSH + "GetExportStatistics": Rpc(
        plain(created_from="2026-03-01T00:00:00Z", created_to="2026-03-02T00:00:00Z")
    ),
    _PUSH + "PreviewExport": Rpc(draft("approved")),
    _PUSH + "ExpediteExport": Rpc(export("deferred", reason="now"), (A.EXPORT_EXPEDITED,)),
    _PUSH + "CancelExport": Rpc(
        export("pushed", reason="no"), (A.DRAFT_PUSH_FAILED, A.EXPORT_CANCELLED)
    ),
    _PUSH + "GetExportDocument": Rpc(export("written")),
    _PUSH + "ResolveExport": Rpc(
        export("held", delivered=True, reason="asked the ERP"), (A.EXPORT_RESOLVED,)
    ),
    _CONNECTION + "CreateConnection": Rpc(a_new_connection, (A.CONNECTION_CREATED,)),
    _CONNECTION + "GetConnection": Rpc(connection()),
    _CONNECTION + "ListConnections": Rpc(plain()),
    _CONNECTION + "UpdateConnection": Rpc(connection(name="other"), (A.CONNECTION_CHANGED,)),
    _CONNECTION + "PauseConnection": Rpc(connection(reason="works"), (A.CONNECTION_CHANGED,)),
    _CONNECTION + "ResumeConnection": Rpc(a_paused_connection, (A.CONNECTION_CHANGED,)),
    _CONNECTION + "ListConnectors": Rpc(plain()),
    _CONNECTION + "DisableConnection": Rpc(connection(), (A.CONNECTION_DISABLED,)),
    _CONNECTION + "TestConnection": Rpc(connection(), (A.CONNECTION_TESTED,), beside=run_one_test),
    # What a worker does on the way to an outcome is no act of anybody; the outcome is.
    _WORK + "ClaimExport": Rpc(a_claim),
    _WORK + "ClaimNext": Rpc(plain(worker_id=WORKER, max_assignments=1, wait_seconds=0)),
    _WORK + "RenewLease": Rpc(leased("claimed")),
    _WORK + "ReleaseLease": Rpc(leased("claimed")),
    _WORK + "ReportStaged": Rpc(a_staged_report),
    _WORK + "ReportSent": Rpc(leased("staged", evidence=1), (A.DRAFT_PUSH_SUCCEEDED,)),
    _WORK + "ReportFailed": Rpc(leased("claimed", error=FAILURE), (A.DRAFT_PUSH_FAILED,)),
    _WORK + "ReportDeferred": Rpc(leased("claimed", error=FAILURE)),
    _WORK + "ReportHeld": Rpc(leased("staged", error=FAILURE)),
    _WORK + "BatchReport": Rpc(a_batch, (A.DRAFT_PUSH_SUCCEEDED, A.DRAFT_PUSH_FAILED)),
    _WORK + "ReportAck": Rpc(an_ack(accepted=True), (A.EXPORT_ACKED,)),
    _WORK + "ReviewLeftovers": Rpc(a_leftover),
    _WORK + "ListDropzones": Rpc(plain()),
    _WORK + "ClaimAckPolls": Rpc(plain(worker_id=WORKER, max_connections=1)),
    _WORK + "ReportAckPoll": Rpc(of_connection()),
    _WORK + "ReportConnectionHealth": Rpc(of_connection(breaker=1)),
    _WORK + "AnnounceConnectors": Rpc(plain(worker_id=WORKER)),
    _WORK + "ClaimConnectionTest": Rpc(plain(worker_id=WORKER, wait_seconds=0)),
    _WORK + "ReportConnectionTest": Rpc(an_asked_test, (A.CONNECTION_TESTED,)),
    _AUDIT + "AppendEvents": Rpc(an_event, (A.DRAFT_EDITED,)),
    _AUDIT + "ListEvents": Rpc(plain()),
    _AUDIT + "ExportEvents": Rpc(plain(), (A.AUDIT_EXPORTED,)),
    _AUDIT + "VerifyChain": Rpc(plain()),
    _SEALS + "ListCheckpoints": Rpc(plain()),
    _SEALS + "ListSealKeys": Rpc(plain()),
    _SEALS + "GetLegalHold": Rpc(plain()),
    _SEALS + "SetLegalHold": Rpc(plain(held=True, reason="a lawsuit"), (A.LEGAL_HOLD_CHANGED,)),
}


@dataclass(frozen=True)
class Move:
    """An act that takes a draft (or its export) along a transition.

    `prepare` returns the draft and the request; `left` and `reached` are where it stood before
    and stands after, which differ from the transition where one act makes several.
    """

    method: str
    prepare: Callable[[Stage], Awaitable[tuple[str | None, dict[str, Any]]]]
    leaves: tuple[AuditAction, ...]


def move(name: str, state: str, leaves: tuple[AuditAction, ...], **fields: Any) -> Move:
    """An act of a person on a draft that is in a state."""

    async def prepare(stage: Stage) -> tuple[str, dict[str, Any]]:
        made = await getattr(stage, state)()
        found = made if isinstance(made, str) else made[0]
        return found, {"draft_order_id": found, **fields}

    return Move(name, prepare, leaves)


def report(name: str, state: str, leaves: tuple[AuditAction, ...], **fields: Any) -> Move:
    """What a worker says of an export."""

    async def prepare(stage: Stage) -> tuple[str, dict[str, Any]]:
        found, lease = await getattr(stage, state)()
        return found, {"lease": lease.as_json(), **fields}

    return Move(_WORK + name, prepare, leaves)


def answer(*, accepted: bool, leaves: tuple[AuditAction, ...]) -> Move:
    async def prepare(stage: Stage) -> tuple[str, dict[str, Any]]:
        fields = await an_ack(accepted=accepted)(stage)
        found = await stage.owner.fetchval(
            "SELECT draft_id FROM push.exports WHERE file_name = $1", fields["file_name"]
        )
        return str(found), fields

    return Move(_WORK + "ReportAck", prepare, leaves)


def submit(body: dict[str, Any]) -> Move:
    """A submit passes through NEW and EXTRACTED within one transaction: one act."""

    async def prepare(_stage: Stage) -> tuple[None, dict[str, Any]]:
        return None, {"external_ref": uuid4().hex, "content": body}

    return Move(_APPROVAL + "SubmitDraft", prepare, (A.DRAFT_SUBMITTED,))


BROKEN = {name: value for name, value in order().items() if name in {"header", "lines"}}
UNREADY = {"content": {"header": {"currency": ""}}, "update_mask": "header.currency"}
NOTES = {"content": {"header": {"notes": "x"}}, "update_mask": "header.notes"}
CUSTOMER = {
    "content": {"customer": {"erp_customer_number": "1", "name": "A"}},
    "update_mask": "customer.erpCustomerNumber,customer.name",
}
D, E = DraftStatus, ExportStatus

DRAFT_MOVES: dict[tuple[DraftStatus, DraftStatus], Move] = {
    (D.NEW, D.EXTRACTED): submit(content()),
    (D.EXTRACTED, D.READY): submit(content()),
    (D.EXTRACTED, D.NEEDS_REVIEW): submit(BROKEN),
    (D.NEEDS_REVIEW, D.READY): move(
        _APPROVAL + "EditDraft", "in_review", (A.DRAFT_EDITED,), **CUSTOMER
    ),
    (D.NEEDS_REVIEW, D.REJECTED): move(
        _APPROVAL + "RejectDraft", "in_review", (A.DRAFT_REJECTED,), reason="no"
    ),
    (D.READY, D.APPROVED): move(_APPROVAL + "ApproveDraft", "ready", (A.DRAFT_APPROVED,)),
    (D.READY, D.NEEDS_REVIEW): move(_APPROVAL + "EditDraft", "ready", (A.DRAFT_EDITED,), **UNREADY),
    (D.APPROVED, D.PUSHING): move(_PUSH + "PushDraft", "approved", (A.DRAFT_PUSHED,)),
    (D.APPROVED, D.NEEDS_REVIEW): move(
        _APPROVAL + "RevokeApproval", "approved", (A.DRAFT_APPROVAL_REVOKED,)
    ),
    (D.PUSHING, D.PUSHED): report("ReportSent", "staged", (A.DRAFT_PUSH_SUCCEEDED,), evidence=1),
    (D.PUSHING, D.ERROR): report("ReportFailed", "claimed", (A.DRAFT_PUSH_FAILED,), error=FAILURE),
    (D.PUSHED, D.ERROR): answer(accepted=False, leaves=(A.DRAFT_PUSH_FAILED,)),
    (D.ERROR, D.PUSHING): move(
        _PUSH + "RetryPush", "failed", (A.DRAFT_PUSH_RETRIED,), reason="again"
    ),
    (D.ERROR, D.NEEDS_REVIEW): move(
        _APPROVAL + "EditDraft", "failed", (A.DRAFT_APPROVAL_REVOKED, A.DRAFT_EDITED), **UNREADY
    ),
}
EXPORT_MOVES: dict[tuple[ExportStatus, ExportStatus], Move] = {
    (E.PENDING, E.SENT): report("ReportSent", "staged", (A.DRAFT_PUSH_SUCCEEDED,), evidence=1),
    (E.PENDING, E.FAILED): report("ReportFailed", "claimed", (A.DRAFT_PUSH_FAILED,), error=FAILURE),
    (E.SENT, E.ACKED): answer(accepted=True, leaves=(A.EXPORT_ACKED,)),
    (E.SENT, E.FAILED): answer(accepted=False, leaves=(A.DRAFT_PUSH_FAILED,)),
}
# States that a submit passes through; nobody sees a draft there.
IN_PASSING = {D.NEW, D.EXTRACTED}
