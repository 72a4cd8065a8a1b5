"""Retention: months that are old enough go, and a signed tombstone stays for each org."""

from collections.abc import Mapping
from uuid import UUID

import structlog

from countersign_audit.commands.verify_chain import VerifyChain
from countersign_audit.event import Event
from countersign_audit.metrics import EVENTS_REMOVED, REMOVALS_REFUSED
from countersign_audit.own_acts import act
from countersign_audit.ports import LockedSeal, Months, MonthStretch
from countersign_audit.seal_keys import SealingKey
from countersign_audit.seals import Tombstone, sign
from countersign_core.audit_actions import AuditAction, EntityType
from countersign_core.ids import derived_id

_IDS_AT_A_TIME = 10_000

_log = structlog.get_logger(__name__)


class MonthRemover:
    """Safe with any number of replicas: what one has removed, another does not find."""

    def __init__(self, months: Months, verify: VerifyChain, key: SealingKey, days: int) -> None:
        """What ended `days` ago goes."""
        self._months = months
        self._verify = verify
        self._key = key
        self._days = days

    async def remove_due(self) -> int:
        """Every month that is due; how many events were removed.

        What is held stays, and so does what does not hold: a tombstone must not cover up what
        was changed.

        Raises:
            Unavailable: the database is away, or the trail could not be locked in time.
        """
        removed = 0
        for month in await self._months.expired(self._days):
            removed += await self._remove(month)
        while await self._months.forget_event_ids(_IDS_AT_A_TIME):
            pass
        return removed

    async def _remove(self, month: str) -> int:
        found = await self._months.stretches(month)
        sound = [stretch for stretch in found if await self._holds(stretch, month)]
        if not sound and not await self._months.is_empty(month):
            return 0
        async with self._months.removal() as removal:
            seals = await removal.lock([stretch.org_id for stretch in sound])
            tombstones = [self._tombstone(stretch, month, seals) for stretch in sound]
            removed = await removal.remove(month, tombstones)
            if removed:
                await removal.append([_act(tombstone) for tombstone in tombstones])
        EVENTS_REMOVED.inc(removed)
        _log.info("month_removed", month=month, events=removed, orgs=len(tombstones))
        return removed

    async def _holds(self, stretch: MonthStretch, month: str) -> bool:
        verdict = await self._verify(stretch.org_id, stretch.first, stretch.last)
        if verdict.flaw is None:
            return True
        REMOVALS_REFUSED.inc()
        org_id, problem = str(stretch.org_id), verdict.flaw.problem
        _log.error("removal_refused", month=month, org_id=org_id, problem=problem)
        return False

    def _tombstone(
        self, stretch: MonthStretch, month: str, seals: Mapping[UUID, LockedSeal]
    ) -> Tombstone:
        last = seals[stretch.org_id]
        tombstone = Tombstone(
            org_id=stretch.org_id,
            number=last.number + 1,
            previous=last.seal_hash,
            month=month,
            from_seq=stretch.first,
            to_seq=stretch.last,
            count=stretch.count,
            prev_hash=stretch.prev_hash,
            last_hash=stretch.last_hash,
            removed_at=last.now,
        )
        return sign(tombstone, self._key)


def _act(tombstone: Tombstone) -> Event:
    return act(
        None,
        AuditAction.AUDIT_MONTH_REMOVED,
        EntityType.AUDIT_TRAIL,
        tombstone.month,
        org_id=tombstone.org_id,
        event_id=derived_id("audit-month-removed", tombstone.org_id, tombstone.number),
        occurred_at=tombstone.removed_at,
        before={
            "from_seq": tombstone.from_seq,
            "to_seq": tombstone.to_seq,
            "count": tombstone.count,
        },
        after={"tombstone": tombstone.number},
    )
