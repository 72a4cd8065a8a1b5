"""Whether the seals of an org hold together, and whether its chain agrees with them."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from countersign_audit.chain import GENESIS_HASH
from countersign_audit.chain_check import Flaw
from countersign_audit.event import Head
from countersign_audit.seal_keys import PublicKeys
from countersign_audit.seals import NO_SEAL, Checkpoint, Seal, Tombstone, is_signed, seal_hash


@dataclass(frozen=True, slots=True)
class SealFlaw:
    """What is wrong: at which seal (its number), at which seq, in one sentence."""

    number: int
    seq: int
    problem: str


AnyFlaw: TypeAlias = Flaw | SealFlaw


class SealCheck:
    """Takes an org's seals in order of their numbers, then answers what the chain must be like.

    `start` is where the chain begins now (behind what was removed), `reached` the last seq that
    a seal vouches for, `due` the checkpoints that the chain on record must agree with.
    """

    def __init__(self, org_id: UUID, keys: PublicKeys) -> None:
        self._org_id = org_id
        self._keys = keys
        self.number = 0
        self.hash = NO_SEAL
        self.start = Head(0, GENESIS_HASH)
        self.reached = 0
        self.latest: Seal | None = None
        self.due: dict[int, list[Checkpoint]] = {}
        # The keys of `due`; a checkpoint never goes back, so they come in order.
        self._seqs: list[int] = []

    def take_all(self, seals: Iterable[Seal]) -> SealFlaw | None:
        """The first flaw of them."""
        return next((flaw for seal in seals if (flaw := self.take(seal))), None)

    def take(self, seal: Seal) -> SealFlaw | None:
        """Checks the next seal; None when it holds, and the check moves on."""
        problem = self._problem(seal)
        if problem:
            return SealFlaw(seal.number, seal.last[0], f"{seal.name} {problem}")
        if isinstance(seal, Tombstone):
            self._remove(seal)
        else:
            self._await(seal)
        self.number, self.hash = seal.number, seal_hash(seal)
        self.reached, self.latest = max(self.reached, seal.last[0]), seal
        return None

    def agrees(self, link: Head) -> SealFlaw | None:
        """The flaw when a checkpoint of `link.seq` has another hash than the chain there."""
        for checkpoint in self.due.get(link.seq, ()):
            if checkpoint.head_hash != link.hash:
                problem = f"{checkpoint.name} vouches for another hash than the chain has there"
                return SealFlaw(checkpoint.number, link.seq, problem)
        return None

    def due_from(self, first: int, last: int) -> Sequence[int]:
        """Every seq from `first` to `last` that a checkpoint vouches for, in order."""
        return self._seqs[bisect_left(self._seqs, first) : bisect_right(self._seqs, last)]

    def differs_from(self, head: Head) -> SealFlaw | None:
        """The flaw when the last seal is not the one that `head` (number and hash) names."""
        if (self.number, self.hash) == (head.seq, head.hash):
            return None
        if self.number < head.seq:
            problem = f"seal {self.number + 1} is missing: {head.seq} were made"
            return SealFlaw(self.number + 1, self.reached + 1, problem)
        problem = f"the head of the seals is not seal {self.number}"
        return SealFlaw(self.number, self.reached, problem)

    def beyond(self, head_seq: int) -> SealFlaw | None:
        """The flaw when the chain ends before what the first such checkpoint vouches for."""
        cut = bisect_right(self._seqs, head_seq)
        if cut == len(self._seqs):
            return None
        checkpoint = self.due[self._seqs[cut]][0]
        problem = f"{checkpoint.name} vouches for more: the chain ends at seq {head_seq}"
        return SealFlaw(checkpoint.number, head_seq + 1, problem)

    def _problem(self, seal: Seal) -> str:
        if seal.org_id != self._org_id:
            return "belongs to another org"
        if seal.number != self.number + 1:
            return f"follows seal {self.number}: what stood between them is missing"
        if seal.previous != self.hash:
            return f"names another seal {self.number} than the one on record"
        if seal.key_id not in self._keys:
            return f"is signed with the key {seal.key_id}, which is not known"
        if not is_signed(seal, self._keys):
            return "does not match its signature: it was changed"
        return self._order(seal)

    def _order(self, seal: Seal) -> str:
        if isinstance(seal, Tombstone):
            return self._order_of_tombstone(seal)
        if seal.seq < self.reached:
            return f"goes back behind seq {self.reached}"
        if seal.count != seal.seq - self.start.seq:
            return f"counts {seal.count} events; from seq {self.start.seq + 1} on it is not so"
        return ""

    def _order_of_tombstone(self, seal: Tombstone) -> str:
        if (seal.from_seq - 1, seal.prev_hash) != (self.start.seq, self.start.hash):
            return f"does not begin where the chain began: behind seq {self.start.seq}"
        if seal.count != seal.to_seq - seal.from_seq + 1:
            return f"counts {seal.count} events"
        for checkpoint in self.due.get(seal.to_seq, ()):
            if checkpoint.head_hash != seal.last_hash:
                return f"ends with another hash than {checkpoint.name}"
        return ""

    def _await(self, checkpoint: Checkpoint) -> None:
        if checkpoint.seq not in self.due:
            self._seqs.append(checkpoint.seq)
        self.due.setdefault(checkpoint.seq, []).append(checkpoint)

    def _remove(self, tombstone: Tombstone) -> None:
        self.start = Head(*tombstone.last)
        self.due = {seq: each for seq, each in self.due.items() if seq > tombstone.to_seq}
        self._seqs = list(self.due)
