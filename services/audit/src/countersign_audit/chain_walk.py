"""Walks an org's chain, stretch by stretch, and holds it against its checkpoints."""

from collections.abc import Sequence
from uuid import UUID

from countersign_audit.chain import Row
from countersign_audit.chain_check import ChainCheck
from countersign_audit.event import Head
from countersign_audit.ports import ChainReader
from countersign_audit.seal_check import AnyFlaw, SealCheck, SealFlaw

# Links held in memory at a time.
STRETCH = 1000


class ChainWalk:
    """Goes on from where `check` stands."""

    def __init__(
        self, chain: ChainReader, org_id: UUID, check: ChainCheck, seals: SealCheck
    ) -> None:
        self._chain = chain
        self._org_id = org_id
        self._check = check
        self._seals = seals

    async def to(self, last: int) -> AnyFlaw | None:
        """The first flaw up to seq `last`, which ought to be on record."""
        while (first := self._check.head.seq + 1) <= last:
            until = min(first + STRETCH - 1, last)
            rows = await self._chain.rows(self._org_id, first, until)
            whole = len(rows) == until - first + 1
            if not (whole and self._check.take_rows(self._org_id, rows)):
                return await self._in_words(last)
            if flaw := self._disagreement(rows):
                return flaw
        return None

    def _disagreement(self, rows: Sequence[Row]) -> SealFlaw | None:
        first = rows[0][-3]
        for seq in self._seals.due_from(first, rows[-1][-3]):
            *_, link_hash = rows[seq - first]
            if flaw := self._seals.agrees(Head(seq, link_hash)):
                return flaw
        return None

    async def _in_words(self, last: int) -> AnyFlaw | None:
        """The same link by link, to name what the bulk check has only seen."""
        for first in range(self._check.head.seq + 1, last + 1, STRETCH):
            until = min(first + STRETCH - 1, last)
            for link in await self._chain.links(self._org_id, first, until):
                flaw = self._check.take(link) or self._seals.agrees(self._check.head)
                if flaw is not None:
                    return flaw
        return self._check.missing_up_to(last)
