"""Refused access to the trail is itself on the trail."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID, uuid4

import structlog

from countersign_audit.commands.append_events import AppendEvents
from countersign_audit.event import Event
from countersign_core.audit_actions import AuditAction, EntityType
from countersign_core.canonical_json import canonical_json
from countersign_core.roles import Role
from countersign_platform.rpc.call import Call

_log = structlog.get_logger(__name__)


class Denials:
    """Records calls that lacked a role; the server's `on_denied`."""

    def __init__(
        self, append_events: AppendEvents, database_now: Callable[[], Awaitable[datetime]]
    ) -> None:
        """`database_now` is the clock that every act is dated by."""
        self._append_events = append_events
        self._database_now = database_now

    async def __call__(self, call: Call, allowed: frozenset[Role]) -> None:
        """Appends ACCESS_DENIED to the caller's org; a service token has none and is logged.

        The id is random: two refusals are two acts, however alike they look.
        """
        if call.identity.org_id is None:
            _log.warning("access_denied", method=call.method, subject=call.identity.subject)
            return
        occurred_at = await self._database_now()
        await self._append_events([_denial(call, call.identity.org_id, allowed, occurred_at)])


def _denial(call: Call, org_id: UUID, allowed: frozenset[Role], occurred_at: datetime) -> Event:
    facts = {"allowed_roles": sorted(allowed), "roles": sorted(call.identity.roles)}
    return Event(
        org_id=org_id,
        event_id=uuid4(),
        occurred_at=occurred_at,
        actor_user_id=call.identity.subject,
        action=AuditAction.ACCESS_DENIED,
        entity_type=EntityType.RPC,
        entity_id=call.method,
        request_id=call.request_id,
        trace_id=call.trace_id,
        ip=call.ip,
        user_agent=call.user_agent,
        after_json=canonical_json(facts).decode(),
    )
