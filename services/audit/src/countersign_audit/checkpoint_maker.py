"""Makes checkpoints: recomputes what an org's chain grew by, and signs where it came to."""

from dataclasses import dataclass
from uuid import UUID

import structlog

from countersign_audit.chain_check import ChainCheck
from countersign_audit.metrics import CHECKPOINTS, CHECKPOINTS_REFUSED, LINKS_VERIFIED
from countersign_audit.ports import CheckpointLog, ClaimedOrg
from countersign_audit.seal_keys import SealingKey
from countersign_audit.seals import Checkpoint, sign

# Links held in memory at a time.
STRETCH = 1000

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Cadence:
    """A checkpoint is due after this many events, or after so long if there are any."""

    events: int
    seconds: float


class CheckpointMaker:
    """Safe with any number of replicas: an org that one works on, others pass by."""

    def __init__(self, log: CheckpointLog, key: SealingKey, cadence: Cadence) -> None:
        self._log = log
        self._key = key
        self._cadence = cadence

    async def make_due(self) -> int:
        """Every checkpoint that is due now; how many were made.

        A chain that does not hold gets none: a signature must not cover what was changed.

        Raises:
            Unavailable: the database is away.
        """
        made = 0
        broken: set[UUID] = set()
        while True:
            worked_on = await self._make_one(broken)
            if worked_on is None:
                return made
            made += worked_on not in broken

    async def _make_one(self, broken: set[UUID]) -> UUID | None:
        cadence = self._cadence
        async with self._log.claim(cadence.events, cadence.seconds, list(broken)) as org:
            if org is None:
                return None
            if not await self._seal(org):
                broken.add(org.so_far.org_id)
            return org.so_far.org_id

    async def _seal(self, org: ClaimedOrg) -> bool:
        so_far = org.so_far
        target = min(so_far.head_seq, so_far.link.seq + self._cadence.events)
        check = ChainCheck(so_far.link)
        while check.head.seq < target:
            last = min(check.head.seq + STRETCH, target)
            rows = await org.rows(check.head.seq + 1, last)
            whole = len(rows) == last - check.head.seq
            if not (whole and check.take_rows(so_far.org_id, rows)):
                return _refused(so_far.org_id, check)
        LINKS_VERIFIED.labels("yes").inc(check.checked)
        checkpoint = Checkpoint(
            org_id=so_far.org_id,
            number=so_far.number + 1,
            previous=so_far.seal_hash,
            seq=check.head.seq,
            count=check.head.seq - so_far.removed_seq,
            head_hash=check.head.hash,
            made_at=so_far.now,
        )
        await org.record(sign(checkpoint, self._key))
        CHECKPOINTS.inc()
        return True


def _refused(org_id: UUID, check: ChainCheck) -> bool:
    LINKS_VERIFIED.labels("no").inc()
    CHECKPOINTS_REFUSED.inc()
    _log.error("checkpoint_refused", org_id=str(org_id), holds_up_to_seq=check.head.seq)
    return False
