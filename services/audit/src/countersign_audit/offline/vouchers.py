"""What signed seals say about single links: the hash that the chain had at a seq."""

from collections.abc import Iterable
from uuid import UUID

from countersign_audit.chain import GENESIS_HASH
from countersign_audit.event import Head
from countersign_audit.offline.report import FileFlaw
from countersign_audit.seal_check import SealCheck
from countersign_audit.seal_keys import PublicKeys
from countersign_audit.seals import Checkpoint, Seal, Tombstone, from_line


class Vouchers:
    """The seals of one org, each of which held; `start` is where its chain begins by now."""

    def __init__(self) -> None:
        self.checkpoints = 0
        self.tombstones = 0
        self.start = Head(0, GENESIS_HASH)
        self._by_seq: dict[int, list[Seal]] = {}

    def read(self, lines: Iterable[bytes], org_id: UUID, keys: PublicKeys) -> FileFlaw | None:
        """Takes every line of a checkpoints file; the first that does not hold."""
        check = SealCheck(org_id, keys)
        for number, line in enumerate(lines, start=1):
            try:
                seal = from_line(line)
            except (ValueError, RecursionError) as error:
                return FileFlaw("checkpoints", number, f"line {number} {error}")
            if flaw := check.take(seal):
                return FileFlaw("checkpoints", number, flaw.problem, flaw.seq, flaw.number)
            self._keep(seal)
        self.start = check.start
        return None

    def contradicts(self, link: Head) -> Seal | None:
        """The first seal that says another hash for `link.seq`."""
        seals = self._by_seq.get(link.seq, ())
        return next((seal for seal in seals if seal.last[1] != link.hash), None)

    def speaks_of(self, seq: int) -> bool:
        """Whether a seal vouches for the link at `seq`."""
        return seq in self._by_seq

    def first_beyond(self, seq: int) -> Seal | None:
        """The first seal that vouches for a link above `seq`."""
        above = [each for each in self._by_seq if each > seq]
        return self._by_seq[min(above)][0] if above else None

    def _keep(self, seal: Seal) -> None:
        self._by_seq.setdefault(seal.last[0], []).append(seal)
        self.checkpoints += isinstance(seal, Checkpoint)
        self.tombstones += isinstance(seal, Tombstone)
