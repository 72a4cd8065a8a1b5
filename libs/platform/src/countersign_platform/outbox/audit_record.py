"""Every act becomes one audit event through `audit_row`, written to the outbox with the act."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID, uuid4

from countersign.audit.v1.audit_service_pb2 import AuditEvent
from countersign_core.audit_actions import AuditAction, EntityType
from countersign_core.canonical_json import canonical_json
from countersign_core.roles import SERVICE_ROLES, Role
from countersign_platform.database.pool import Database
from countersign_platform.outbox.row import LANE_AUDIT
from countersign_platform.outbox.table import plain_name
from countersign_platform.rpc.call import Call

# What a caller sends along is cut to what the contract allows: an event must never be refused
# for the length of somebody's user agent.
_LONGEST = {"actor_user_id": 200, "request_id": 200, "trace_id": 32, "ip": 64, "user_agent": 500}

# Where denials of callers stand that belong to no org.
NO_ORG = UUID(int=0)


def audit_row(
    call: Call | None,
    action: AuditAction,
    entity_type: EntityType,
    entity_id: UUID | str,
    *,
    org_id: UUID,
    event_id: UUID,
    draft_order_id: UUID | str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    request_id: str | None = None,
    trace_id: str | None = None,
) -> tuple[UUID, bytes]:
    """Id and payload of the outbox row for one act.

    The payload is an AuditEvent without occurred_at, which the relay takes from the row.

    Without `call` it was the system; a service's own call names no actor either. `event_id`
    is the same whenever the same act is written again. `before` and `after` are the states as
    canonical JSON knows them (no floats), None where there was none. `request_id` and
    `trace_id` stand in for the call's, where the act began with an earlier one.

    Raises:
        TypeError: `before` or `after` holds what canonical JSON does not know.
    """
    caller = _caller(call)
    if request_id is not None:
        caller["request_id"] = request_id
    if trace_id is not None:
        caller["trace_id"] = trace_id
    event = AuditEvent(
        event_id=str(event_id),
        org_id=str(org_id),
        action=action,
        entity_type=entity_type,
        entity_id=str(entity_id),
        draft_order_id=str(draft_order_id),
        before_json=_json(before),
        after_json=_json(after),
    )
    for name, value in caller.items():
        setattr(event, name, value[: _LONGEST[name]])
    return event_id, event.SerializeToString()


def record_denied(
    database: Database, schema: str
) -> Callable[[Call, frozenset[Role]], Awaitable[None]]:
    """A callback for RpcServer that writes ACCESS_DENIED to `schema`.outbox.

    Raises (when called):
        Unavailable: the database is away.
    """
    sql = (
        f"INSERT INTO {plain_name(schema)}.outbox (org_id, id, lane, payload)"  # noqa: S608 — checked name
        f" VALUES ($1, $2, '{LANE_AUDIT}', $3)"
    )

    async def record(call: Call, allowed: frozenset[Role]) -> None:
        org_id = call.identity.org_id or NO_ORG
        event_id, payload = audit_row(
            call,
            AuditAction.ACCESS_DENIED,
            EntityType.RPC,
            call.method,
            org_id=org_id,
            # One denial, one call: there is nothing that this could be derived from.
            event_id=uuid4(),
            after={"roles": sorted(call.identity.roles), "allowed_roles": sorted(allowed)},
        )
        await database.execute(sql, org_id, event_id, payload)

    return record


def _caller(call: Call | None) -> dict[str, str]:
    if call is None:
        return {}
    by_service = call.identity.org_id is None and bool(call.identity.roles & SERVICE_ROLES)
    return {
        "actor_user_id": "" if by_service else call.identity.subject,
        "request_id": call.request_id,
        "trace_id": call.trace_id,
        "ip": "" if by_service else call.ip,
        "user_agent": "" if by_service else call.user_agent,
    }


def _json(state: Mapping[str, Any] | None) -> str:
    return "" if state is None else canonical_json(dict(state)).decode()
