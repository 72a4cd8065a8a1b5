"""Acts on the trail itself are on the trail.

Other services write their acts to their outbox. This one is where the outbox would lead to.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from countersign.audit.v1 import audit_service_pb2 as pb
from countersign_audit.commands.append_events import AppendEvents
from countersign_audit.event import Event
from countersign_audit.messages import events_of, timestamp_of
from countersign_core.audit_actions import AuditAction, EntityType
from countersign_platform.outbox.audit_record import audit_row
from countersign_platform.rpc.call import Call


def act(
    call: Call | None,
    action: AuditAction,
    entity_type: EntityType,
    entity_id: UUID | str,
    *,
    org_id: UUID,
    event_id: UUID,
    occurred_at: datetime,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> Event:
    """The event of one act of this service; without `call` it was the service itself."""
    _, payload = audit_row(
        call,
        action,
        entity_type,
        entity_id,
        org_id=org_id,
        event_id=event_id,
        before=before,
        after=after,
    )
    event = pb.AuditEvent.FromString(payload)
    event.occurred_at.CopyFrom(timestamp_of(occurred_at))
    return events_of(pb.AppendEventsRequest(events=[event]))[0]


class OwnActs:
    """Appends acts of this service."""

    def __init__(
        self, append_events: AppendEvents, database_now: Callable[[], Awaitable[datetime]]
    ) -> None:
        """`database_now` is the clock that every act is dated by."""
        self._append_events = append_events
        self._database_now = database_now

    async def record(
        self,
        call: Call,
        action: AuditAction,
        entity_type: EntityType,
        entity_id: UUID | str,
        *,
        org_id: UUID,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        """One event in the chain of `org_id`; two calls are two acts, however alike they look."""
        event = act(
            call,
            action,
            entity_type,
            entity_id,
            org_id=org_id,
            event_id=uuid4(),
            occurred_at=await self._database_now(),
            before=before,
            after=after,
        )
        await self._append_events([event])
