"""Walks a stretch of a chain link by link and names the first flaw."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from countersign_audit.chain import Row, all_hold, link_hash
from countersign_audit.event import Head, Link


@dataclass(frozen=True, slots=True)
class Flaw:
    """The first thing that is wrong: at which seq, and what, in one sentence."""

    seq: int
    problem: str


class ChainCheck:
    """The state of a check: how far it came, and the hash that it came to."""

    def __init__(self, start: Head) -> None:
        """`start` is the link before the first one to check; its hash is taken as given."""
        self.head = start
        self.checked = 0

    def take(self, link: Link) -> Flaw | None:
        """Checks the next link in order of seq; None when it holds, and the check moves on."""
        flaw = self._place(link) or self._hashes(link)
        if flaw is None:
            self.head = Head(link.seq, link.hash)
            self.checked += 1
        return flaw

    def take_rows(self, org_id: UUID, rows: Sequence[Row]) -> bool:
        """Checks the next links (one at least) in bulk; the check moves on if all of them hold."""
        if not all_hold(org_id, self.head, rows):
            return False
        *_, seq, _, stored_hash = rows[-1]
        self.head = Head(seq, stored_hash)
        self.checked += len(rows)
        return True

    def missing_up_to(self, last: int) -> Flaw | None:
        """The flaw when the links ended before `last`."""
        if self.head.seq >= last:
            return None
        return _missing(self.head.seq + 1, last)

    def differs_from(self, head: Head) -> Flaw | None:
        """The flaw when the last link's hash is not the one that the head row keeps."""
        if self.head == head:
            return None
        return Flaw(head.seq, f"the head row keeps another hash than seq {head.seq}")

    def _place(self, link: Link) -> Flaw | None:
        expected = self.head.seq + 1
        if link.seq > expected:
            return _missing(expected, link.seq - 1)
        if link.seq < expected:
            return Flaw(link.seq, f"seq {link.seq} is on record twice")
        return None

    def _hashes(self, link: Link) -> Flaw | None:
        if link.prev_hash != self.head.hash:
            return Flaw(link.seq, f"prev_hash is not the hash of seq {self.head.seq}")
        if link.hash != link_hash(link.prev_hash, link.event, link.seq):
            return Flaw(link.seq, "the event does not match its hash: a field was changed")
        return None


def _missing(first: int, last: int) -> Flaw:
    which = f"seq {first} is" if first == last else f"seq {first} to {last} are"
    return Flaw(first, f"{which} missing")
