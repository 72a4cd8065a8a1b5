"""Verify: the org's chain recomputed, in bounded memory."""

from dataclasses import dataclass
from uuid import UUID

from countersign_audit.chain import GENESIS_HASH
from countersign_audit.chain_check import ChainCheck, Flaw
from countersign_audit.event import Head
from countersign_audit.metrics import LINKS_VERIFIED
from countersign_audit.ports import ChainReader, Extent
from countersign_core.errors import FieldError, InvalidRequest

# Links held in memory at a time.
STRETCH = 500


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found: links that hold, the last of them, and the first flaw if any."""

    checked: int
    head: Head
    flaw: Flaw | None


class VerifyChain:
    """Recomputes every hash of a range from what is stored now."""

    def __init__(self, chain: ChainReader) -> None:
        self._chain = chain

    async def __call__(self, org_id: UUID, from_seq: int, to_seq: int) -> Verdict:
        """Checks seq `from_seq` (0: the first) to `to_seq` (0: the head), both included.

        Raises:
            InvalidRequest: the range is upside down.
        """
        first = from_seq or 1
        if to_seq and to_seq < first:
            raise InvalidRequest([FieldError("to_seq", "is below from_seq")])
        extent = await self._chain.extent(org_id)
        check, flaw = await self._start_before(org_id, first)
        flaw = flaw or await self._walk(org_id, check, to_seq or extent.head.seq, extent)
        LINKS_VERIFIED.labels("yes").inc(check.checked)
        LINKS_VERIFIED.labels("no").inc(flaw is not None)
        return Verdict(check.checked, check.head, flaw)

    async def _start_before(self, org_id: UUID, first: int) -> tuple[ChainCheck, Flaw | None]:
        if first == 1:
            return ChainCheck(Head(0, GENESIS_HASH)), None
        before = await self._chain.links(org_id, first - 1, first - 1)
        if not before:
            return ChainCheck(Head(0, GENESIS_HASH)), Flaw(first - 1, f"seq {first - 1} is missing")
        return ChainCheck(Head(first - 1, before[0].hash)), None

    async def _walk(
        self, org_id: UUID, check: ChainCheck, last: int, extent: Extent
    ) -> Flaw | None:
        on_record = min(last, extent.head.seq)
        for start in range(check.head.seq + 1, on_record + 1, STRETCH):
            for link in await self._chain.links(org_id, start, min(start + STRETCH - 1, on_record)):
                if flaw := check.take(link):
                    return flaw
        flaw = check.missing_up_to(on_record)
        if flaw is None and last >= extent.head.seq:
            flaw = _end_flaw(check, extent)
        return flaw or check.missing_up_to(last)


def _end_flaw(check: ChainCheck, extent: Extent) -> Flaw | None:
    """What only the head row can tell: another hash, or links that it does not know of."""
    if extent.first_beyond is not None:
        problem = f"seq {extent.first_beyond} stands beyond the head ({extent.head.seq})"
        return Flaw(extent.first_beyond, problem)
    return check.differs_from(extent.head)
