"""What the audit trail says of connections. Names of secrets only, never their values."""

from collections.abc import Mapping
from typing import Any

from countersign_core.audit_actions import AuditAction, EntityType
from countersign_core.ids import derived_id
from countersign_platform.auth.identity import Identity
from countersign_platform.outbox.audit_record import audit_row
from countersign_platform.rpc.call import Call
from countersign_platform.telemetry.traceparent import trace_id_of
from countersign_push.act import Act
from countersign_push.connection import Connection, ConnectionStatus
from countersign_push.store.connection_tests import ConnectionTest


def connection_created(call: Call, made: Connection) -> Act:
    """A new connection."""
    return _act(call, AuditAction.CONNECTION_CREATED, made, None, made.facts())


def connection_changed(
    call: Call, before: Connection, after: Connection, secrets_changed: list[str], reason: str = ""
) -> Act:
    """A change; switching it off is an act of its own kind."""
    switched_off = (
        before.status is not ConnectionStatus.DISABLED and after.status is ConnectionStatus.DISABLED
    )
    action = AuditAction.CONNECTION_DISABLED if switched_off else AuditAction.CONNECTION_CHANGED
    facts = {**after.facts(), "secrets_changed": sorted(secrets_changed)}
    if reason:
        facts["reason"] = reason
    return _act(call, action, after, before.facts(), facts)


def connection_tested(test: ConnectionTest, result: Mapping[str, Any]) -> Act:
    """A test that a person asked for and a worker ran; each is recorded once."""
    call = _requested_call(test)
    after = {
        "ok": result["ok"],
        "failure": result["failure"],
        "message": result["message"],
        "steps": [{"name": step["name"], "ok": step["ok"]} for step in result["steps"]],
        "version": test.connection_version,
    }
    event_id, payload = audit_row(
        call,
        AuditAction.CONNECTION_TESTED,
        EntityType.ERP_CONNECTION,
        str(test.connection_id),
        org_id=test.org_id,
        event_id=derived_id("connection-test-event", test.org_id, test.id),
        after=after,
    )
    return Act(event_id, payload, call_headers(call))


def _act(
    call: Call,
    action: AuditAction,
    connection: Connection,
    before: dict[str, Any] | None,
    after: dict[str, Any],
) -> Act:
    org_id = connection.org_id
    event_id, payload = audit_row(
        call,
        action,
        EntityType.ERP_CONNECTION,
        str(connection.id),
        org_id=org_id,
        event_id=derived_id("connection-event", org_id, connection.id, connection.version),
        before=before,
        after=after,
    )
    return Act(event_id, payload, call_headers(call))


def _requested_call(test: ConnectionTest) -> Call:
    """The call that asked for the test, as far as it was kept."""
    kept = test.requested_call
    return Call(
        method="",
        identity=Identity(test.requested_by, frozenset(), test.org_id, str(test.org_id)),
        request_id=kept["request_id"],
        trace_id=trace_id_of(kept["traceparent"]),
        traceparent=kept["traceparent"],
        ip=kept["ip"],
        user_agent=kept["user_agent"],
    )


def call_headers(call: Call) -> dict[str, str]:
    """What an outbox row carries along of the call that made it."""
    headers = {"x-request-id": call.request_id}
    return {**headers, "traceparent": call.traceparent} if call.traceparent else headers
