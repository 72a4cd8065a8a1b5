"""Walks an exported trail and names the first line that does not hold.

A whole export (no filter) is walked as one chain. An export by filters has gaps, so each event
is held against its own hash, against its neighbour where that is there, and against the seals.
"""

from collections.abc import Iterable, Iterator
from uuid import UUID

from countersign_audit.chain import GENESIS_HASH
from countersign_audit.chain_check import ChainCheck
from countersign_audit.event import Head, Link
from countersign_audit.offline.export_file import End, Line
from countersign_audit.offline.report import FileFlaw, Report
from countersign_audit.offline.vouchers import Vouchers


class FileCheck:
    """One walk over one file; `report` is complete when `run` has ended."""

    def __init__(self, org_id: UUID, end: End | None, vouchers: Vouchers | None) -> None:
        """`end` is the file's last line; without `vouchers` there is no checkpoint to hold to."""
        self.report = Report(org_id=str(org_id))
        self._org_id = org_id
        self._end = end
        self._vouchers = vouchers or Vouchers()
        self._sealed = vouchers is not None
        self._chain: ChainCheck | None = None
        self._whole = end is None or not end.filters
        # Events above the end record's after_seq: those of the last stream.
        self._of_last_stream = 0
        # Events of the current run without a gap that no seal has vouched for yet.
        self._waiting = 0
        self._ended = False
        self._line = 0

    def run(self, lines: Iterable[Line]) -> Iterator[Line]:
        """Checks line by line and passes each on when it holds; ends at the first flaw."""
        remaining = iter(lines)
        for line in remaining:
            self._line = line.number
            if flaw := self._take(line):
                self.report.flaw = self._told_apart(flaw, line, remaining)
                return
            yield line
        self.report.flaw = self._end_flaw()
        if self.report.flaw is None:
            self._conclude()

    def _take(self, line: Line) -> FileFlaw | None:
        if self._ended:
            return self._flaw("something stands behind the end record")
        if isinstance(line.holds, End):
            self._ended = True
            return None
        if not isinstance(line.holds, Link):
            return self._flaw(f"the line {line.holds}")
        return self._take_link(line.holds)

    def _take_link(self, link: Link) -> FileFlaw | None:
        seq = link.seq
        if link.event.org_id != self._org_id:
            return self._flaw("the event belongs to another org", seq)
        if seq < 1:
            return self._flaw("seq counts from 1", seq)
        if self._end and seq > (head_seq := self._end.head_seq):
            problem = f"seq {seq} stands beyond the head ({head_seq})"
            return self._sealed_beyond(head_seq) or self._flaw(problem, seq)
        flaw = self._begin(link) or self._link_flaw(link) or self._seal_flaw(link)
        if flaw is None:
            self._count(link)
        return flaw

    def _begin(self, link: Link) -> FileFlaw | None:
        """Begins the chain, or a run of it behind a gap, with the link before `link`."""
        if self._chain is None:
            if self._whole and (flaw := self._missing_before(link.seq)):
                return flaw
        elif self._whole or link.seq <= self._chain.head.seq + 1:
            return None
        before = self._known_before(link)
        self._chain, self._waiting = ChainCheck(before), 0
        if (seal := self._vouchers.contradicts(Head(before.seq, link.prev_hash))) is None:
            return None
        problem = f"{seal.name} vouches for another hash than prev_hash says"
        return self._flaw(problem, link.seq, seal.number)

    def _known_before(self, link: Link) -> Head:
        """The link before: as it must be, where that is known, else as `link` says."""
        if link.seq == 1:
            return Head(0, GENESIS_HASH)
        start = self._vouchers.start
        return start if start.seq == link.seq - 1 else Head(link.seq - 1, link.prev_hash)

    def _missing_before(self, seq: int) -> FileFlaw | None:
        expected = max(self._vouchers.start.seq, self._end.after_seq if self._end else 0)
        return self._missing(expected + 1, seq - 1) if seq - 1 > expected else None

    def _link_flaw(self, link: Link) -> FileFlaw | None:
        assert self._chain is not None
        head = self._chain.head
        if not self._whole and link.seq < head.seq:
            return self._flaw(
                f"out of order: seq {link.seq} stands behind seq {head.seq}", link.seq
            )
        flaw = self._chain.take(link)
        return None if flaw is None else self._flaw(flaw.problem, flaw.seq)

    def _seal_flaw(self, link: Link) -> FileFlaw | None:
        if (seal := self._vouchers.contradicts(Head(link.seq, link.hash))) is None:
            return None
        problem = f"{seal.name} vouches for another hash than the chain has there"
        return self._flaw(problem, link.seq, seal.number)

    def _count(self, link: Link) -> None:
        report = self.report
        report.events += 1
        report.first_seq = report.first_seq or link.seq
        report.last_seq, report.last_hash = link.seq, link.hash.hex()
        self._of_last_stream += self._end is not None and link.seq > self._end.after_seq
        self._waiting += 1
        if self._vouchers.speaks_of(link.seq):
            report.proven += self._waiting
            self._waiting = 0

    def _told_apart(self, flaw: FileFlaw, bad: Line, remaining: Iterator[Line]) -> FileFlaw:
        """A seq that is missing here may stand further down: then lines were reordered."""
        if flaw.seq is None or not isinstance(bad.holds, Link) or flaw.seq >= bad.holds.seq:
            return flaw
        for line in remaining:
            if isinstance(line.holds, Link) and line.holds.seq == flaw.seq:
                problem = f"out of order: seq {flaw.seq} stands in line {line.number}"
                return self._flaw(problem, flaw.seq)
        return flaw

    def _end_flaw(self) -> FileFlaw | None:
        """What only the end of the file can tell."""
        end, self._line = self._end, self._line + (not self._ended)
        if end is None or not self._ended:
            return self._flaw("the end record is missing: the file was cut, or is not complete")
        if end.org_id != str(self._org_id):
            return self._flaw("the end record is of another org")
        if self._whole and (flaw := self._missing_at_end(end)):
            return flaw
        return self._differs_from_end(end) or self._differs_from_seals(end)

    def _missing_at_end(self, end: End) -> FileFlaw | None:
        known = max(self._vouchers.start.seq, end.after_seq)
        reached = self._chain.head.seq if self._chain else known
        return self._missing(reached + 1, end.up_to_seq) if reached < end.up_to_seq else None

    def _differs_from_end(self, end: End) -> FileFlaw | None:
        last = self._chain.head if self._chain else Head(0, GENESIS_HASH)
        if last.seq == end.head_seq != 0 and last.hash.hex() != end.head_hash:
            return self._flaw(f"the head row keeps another hash than seq {last.seq}", last.seq)
        if end.count != self._of_last_stream:
            problem = f"the end record counts {end.count} events, here are {self._of_last_stream}"
            return self._flaw(problem)
        if end.count and (end.last_seq, end.last_hash) != (last.seq, last.hash.hex()):
            return self._flaw(f"the end record names another last event than seq {last.seq}")
        return None

    def _differs_from_seals(self, end: End) -> FileFlaw | None:
        if flaw := self._sealed_beyond(end.head_seq):
            return flaw
        if seal := self._vouchers.contradicts(_head_of(end)):
            problem = f"{seal.name} vouches for another hash than the end record has"
            return self._flaw(problem, end.head_seq, seal.number)
        return None

    def _sealed_beyond(self, head_seq: int) -> FileFlaw | None:
        if (seal := self._vouchers.first_beyond(head_seq)) is None:
            return None
        problem = f"{seal.name} vouches for more: the chain ended at seq {head_seq}"
        return self._flaw(problem, head_seq + 1, seal.number)

    def _conclude(self) -> None:
        assert self._end is not None
        report, end = self.report, self._end
        report.checkpoints = self._vouchers.checkpoints
        report.tombstones = self._vouchers.tombstones
        if not self._whole:
            report.unproven.append(
                "The export was made with filters: that no event between these is missing, "
                "a file by filters cannot show."
            )
        elif report.events and report.first_seq > self._vouchers.start.seq + 1:
            report.unproven.append(f"What came before seq {report.first_seq} is not in the file.")
        if self._whole and end.up_to_seq < end.head_seq:
            report.unproven.append(
                f"The chain went on to seq {end.head_seq}; what came after seq {end.up_to_seq} "
                "is not in the file."
            )
        self._conclude_seals(report)

    def _conclude_seals(self, report: Report) -> None:
        if not self._sealed:
            report.unproven.append(
                "Without checkpoints a tail that was cut off, or a chain that was written anew "
                "from its first link, does not show."
            )
        elif report.events and not report.proven:
            report.unproven.append("No checkpoint vouches for any event of the file.")
        elif report.proven < report.events and self._whole:
            covered = report.last_seq - self._waiting
            report.notes.append(
                f"The last checkpoint vouches for everything up to seq {covered}. The "
                f"{self._waiting} events after it hang together, but were not sealed yet: "
                "whether they were written anew, or more followed, does not show."
            )
        elif report.proven < report.events:
            report.unproven.append(
                f"{report.events - report.proven} events match their own hash only: no "
                "checkpoint reaches them through this file."
            )

    def _missing(self, first: int, last: int) -> FileFlaw:
        which = f"seq {first} is" if first == last else f"seq {first} to {last} are"
        return self._flaw(f"{which} missing", first)

    def _flaw(self, problem: str, seq: int | None = None, seal: int | None = None) -> FileFlaw:
        return FileFlaw("events", self._line, problem, seq, seal)


def _head_of(end: End) -> Head:
    try:
        return Head(end.head_seq, bytes.fromhex(end.head_hash))
    except ValueError:
        return Head(end.head_seq, b"")
