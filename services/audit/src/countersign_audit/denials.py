"""Refused access to the trail is itself on the trail."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import uuid4

from countersign.audit.v1 import audit_service_pb2 as pb
from countersign_audit.commands.append_events import AppendEvents
from countersign_audit.messages import events_of, timestamp_of
from countersign_core.audit_actions import AuditAction, EntityType
from countersign_core.roles import Role
from countersign_platform.outbox.audit_record import NO_ORG, audit_row
from countersign_platform.rpc.call import Call


class Denials:
    """Records calls that lacked a role; the server's `on_denied`.

    Other services do this through their outbox. This one is where the outbox would lead to.
    """

    def __init__(
        self, append_events: AppendEvents, database_now: Callable[[], Awaitable[datetime]]
    ) -> None:
        """`database_now` is the clock that every act is dated by."""
        self._append_events = append_events
        self._database_now = database_now

    async def __call__(self, call: Call, allowed: frozenset[Role]) -> None:
        """Appends ACCESS_DENIED to the caller's org; a service's token has none, so NO_ORG."""
        denial = _denial(call, allowed)
        denial.occurred_at.CopyFrom(timestamp_of(await self._database_now()))
        await self._append_events(events_of(pb.AppendEventsRequest(events=[denial])))


def _denial(call: Call, allowed: frozenset[Role]) -> pb.AuditEvent:
    _, payload = audit_row(
        call,
        AuditAction.ACCESS_DENIED,
        EntityType.RPC,
        call.method,
        org_id=call.identity.org_id or NO_ORG,
        # Two refusals are two acts, however alike they look.
        event_id=uuid4(),
        after={"roles": sorted(call.identity.roles), "allowed_roles": sorted(allowed)},
    )
    return pb.AuditEvent.FromString(payload)
