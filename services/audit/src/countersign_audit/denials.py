"""Refused access to the trail is itself on the trail."""

from countersign_audit.own_acts import OwnActs
from countersign_core.audit_actions import AuditAction, EntityType
from countersign_core.roles import Role
from countersign_platform.outbox.audit_record import NO_ORG
from countersign_platform.rpc.call import Call


class Denials:
    """Records calls that lacked a role; the server's `on_denied`."""

    def __init__(self, own_acts: OwnActs) -> None:
        self._own_acts = own_acts

    async def __call__(self, call: Call, allowed: frozenset[Role]) -> None:
        """Appends ACCESS_DENIED to the caller's org; a service's token has none, so NO_ORG."""
        await self._own_acts.record(
            call,
            AuditAction.ACCESS_DENIED,
            EntityType.RPC,
            call.method,
            org_id=call.identity.org_id or NO_ORG,
            after={"roles": sorted(call.identity.roles), "allowed_roles": sorted(allowed)},
        )
