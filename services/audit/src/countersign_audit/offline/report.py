"""What a check of an exported trail found, and what it could not find out."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class FileFlaw:
    """The first thing that is wrong.

    `file` is "events" or "checkpoints", `line` counts from 1; `seq` and `seal` (a checkpoint's
    or tombstone's number) are None where the flaw has none.
    """

    file: str
    line: int
    problem: str
    seq: int | None = None
    seal: int | None = None


@dataclass(slots=True)
class Report:
    """The verdict on a file.

    `events` were checked and hold, `proven` of them stand under a signed checkpoint. `unproven`
    says in sentences what these files cannot show, whoever looks at them; `notes` what is as it
    should be but worth knowing.
    """

    events: int = 0
    org_id: str = ""
    first_seq: int = 0
    last_seq: int = 0
    last_hash: str = ""
    proven: int = 0
    checkpoints: int = 0
    tombstones: int = 0
    flaw: FileFlaw | None = None
    unproven: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """`proven`, `unproven` (nothing is wrong, something cannot be shown) or `flawed`."""
        if self.flaw is not None:
            return "flawed"
        return "unproven" if self.unproven else "proven"

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        flaw = self.flaw
        return {
            "verdict": self.verdict,
            "events": self.events,
            "org_id": self.org_id or None,
            "first_seq": self.first_seq or None,
            "last_seq": self.last_seq or None,
            "last_hash": self.last_hash or None,
            "proven": self.proven,
            "checkpoints": self.checkpoints,
            "tombstones": self.tombstones,
            "flaw": flaw
            and {
                "file": flaw.file,
                "line": flaw.line,
                "seq": flaw.seq,
                "seal": flaw.seal,
                "problem": flaw.problem,
            },
            "unproven": self.unproven,
            "notes": self.notes,
        }
