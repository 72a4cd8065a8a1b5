"""Verify: the org's chain recomputed and held against its seals, in bounded memory."""

from dataclasses import dataclass
from uuid import UUID

import structlog

from countersign_audit.archived_seals import ArchivedSeals
from countersign_audit.chain_check import ChainCheck, Flaw
from countersign_audit.chain_walk import ChainWalk
from countersign_audit.event import Head
from countersign_audit.metrics import ARCHIVE_FAILURES, LINKS_VERIFIED
from countersign_audit.ports import ChainReader, Extent, SealArchive, SealReader
from countersign_audit.seal_check import AnyFlaw, SealCheck, SealFlaw
from countersign_audit.seal_keys import PublicKeys
from countersign_core.errors import FieldError, InvalidRequest, Unavailable

# Seals held in memory at a time.
SEALS = 1000
# Months may be removed one after the other while a chain is read.
ATTEMPTS = 10

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found.

    Attributes:
        checked: links that hold.
        head: the last of them.
        flaw: the first thing that is wrong, if any.
        seals: seals that hold.
        sealed_seq: the last seq that a seal vouches for.
        removed_seq: events up to here were removed, and a tombstone vouches for them.
        archived_seals: how many of the seals the archive has; None: it could not be asked.
    """

    checked: int
    head: Head
    flaw: AnyFlaw | None
    seals: int
    sealed_seq: int
    removed_seq: int
    archived_seals: int | None


class VerifyChain:
    """Recomputes every hash of a range from what is stored now, and checks every seal."""

    def __init__(
        self, chain: ChainReader, seals: SealReader, archive: SealArchive, keys: PublicKeys
    ) -> None:
        self._chain = chain
        self._seals = seals
        self._archive = archive
        self._keys = keys

    async def __call__(self, org_id: UUID, from_seq: int, to_seq: int) -> Verdict:
        """Checks seq `from_seq` (0: the first) to `to_seq` (0: the head), both included.

        Raises:
            InvalidRequest: the range is upside down.
        """
        if to_seq and to_seq < (from_seq or 1):
            raise InvalidRequest([FieldError("to_seq", "is below from_seq")])
        for _ in range(ATTEMPTS):
            verdict = await self._verify(org_id, from_seq, to_seq)
            if not await self._was_removed_meanwhile(org_id, verdict):
                break
        LINKS_VERIFIED.labels("yes").inc(verdict.checked)
        LINKS_VERIFIED.labels("no").inc(verdict.flaw is not None)
        return verdict

    async def _was_removed_meanwhile(self, org_id: UUID, verdict: Verdict) -> bool:
        """Whether what looks like missing was removed, with a tombstone, as we read."""
        if not isinstance(verdict.flaw, Flaw):
            return False
        return await self._seals.removed_seq(org_id) > verdict.removed_seq

    async def _verify(self, org_id: UUID, from_seq: int, to_seq: int) -> Verdict:
        # In this order: what is made meanwhile lies beyond what was read before.
        archived = await self._archived(org_id)
        seals = SealCheck(org_id, self._keys)
        flaw: AnyFlaw | None = await self._check_seals(org_id, seals, archived)
        extent = await self._chain.extent(org_id)
        flaw = flaw or seals.beyond(extent.head.seq)
        check = ChainCheck(seals.start)
        flaw = flaw or await self._start(org_id, check, from_seq)
        last = to_seq or extent.head.seq
        walk = ChainWalk(self._chain, org_id, check, seals)
        flaw = flaw or await walk.to(min(last, extent.head.seq))
        flaw = flaw or _end_flaw(check, extent, last)
        return Verdict(
            checked=check.checked,
            head=check.head,
            flaw=flaw,
            seals=seals.number,
            sealed_seq=seals.reached,
            removed_seq=seals.start.seq,
            archived_seals=archived.found if archived.compared else None,
        )

    async def _archived(self, org_id: UUID) -> ArchivedSeals:
        try:
            return ArchivedSeals([name async for name in self._archive.names(org_id)])
        except Unavailable as error:
            ARCHIVE_FAILURES.inc()
            _log.warning("archive_not_compared", why=str(error))
            return ArchivedSeals([], compared=False)

    async def _check_seals(
        self, org_id: UUID, check: SealCheck, archived: ArchivedSeals
    ) -> SealFlaw | None:
        head = await self._seals.seal_head(org_id)
        while seals := await self._seals.seals(org_id, check.number, SEALS):
            for seal in seals:
                if flaw := archived.take(seal) or check.take(seal):
                    return flaw
        if flaw := archived.left_over(check.reached):
            return flaw
        if check.number > head.seq:  # sealed since the head was read, or it was set back
            head = await self._seals.seal_head(org_id)
            if head.seq > check.number:
                return None
        return check.differs_from(head)

    async def _start(self, org_id: UUID, check: ChainCheck, from_seq: int) -> Flaw | None:
        """Moves the check to the link before `from_seq`, whose hash is taken as given."""
        if from_seq <= check.head.seq + 1:
            return None
        before = await self._chain.links(org_id, from_seq - 1, from_seq - 1)
        if not before:
            return Flaw(from_seq - 1, f"seq {from_seq - 1} is missing")
        check.head = Head(from_seq - 1, before[0].hash)
        return None


def _end_flaw(check: ChainCheck, extent: Extent, last: int) -> Flaw | None:
    """What only the head row can tell: another hash, or links that it does not know of."""
    if last >= extent.head.seq:
        if extent.first_beyond is not None:
            problem = f"seq {extent.first_beyond} stands beyond the head ({extent.head.seq})"
            return Flaw(extent.first_beyond, problem)
        if flaw := check.differs_from(extent.head):
            return flaw
    return check.missing_up_to(last)
