"""Legal holds: of a trail that is held nothing is removed."""

from datetime import datetime
from uuid import UUID

from countersign_audit.event import Event
from countersign_audit.own_acts import act
from countersign_audit.ports import Hold, Holds
from countersign_core.audit_actions import AuditAction, EntityType
from countersign_core.ids import derived_id
from countersign_platform.rpc.call import Call


class LegalHold:
    """Reads and changes an org's hold."""

    def __init__(self, holds: Holds) -> None:
        self._holds = holds

    async def get(self, org_id: UUID) -> Hold:
        """As it is now."""
        return await self._holds.hold(org_id)

    async def set(self, call: Call, org_id: UUID, *, held: bool, reason: str) -> Hold:
        """Holds, or ends the hold; on record as LEGAL_HOLD_CHANGED when that changes anything."""
        before = await self._holds.hold(org_id)
        wanted = Hold(held, reason, call.identity.subject)

        def changed(number: int, now: datetime) -> Event:
            return act(
                call,
                AuditAction.LEGAL_HOLD_CHANGED,
                EntityType.AUDIT_TRAIL,
                org_id,
                org_id=org_id,
                event_id=derived_id("legal-hold", org_id, number),
                occurred_at=now,
                before=_state(before),
                after=_state(wanted),
            )

        return await self._holds.change(org_id, wanted, changed)


def _state(hold: Hold) -> dict[str, bool | str]:
    return {"held": hold.held, "reason": hold.reason}
