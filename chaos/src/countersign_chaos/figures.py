"""What a run adds up to."""

import statistics
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from countersign_chaos.checker.evidence import Evidence
from countersign_chaos.checker.finding import Finding, Kind


@dataclass(slots=True)
class Figures:
    """Counts over all rounds. `heal_seconds` and `kills` are by kind of fault or process."""

    rounds: int = 0
    requests: int = 0
    drafts: int = 0
    pushes: int = 0
    exports: int = 0
    files: int = 0
    events: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    heal_seconds: dict[str, list[float]] = field(default_factory=dict)
    settle_seconds: list[float] = field(default_factory=list)

    def add(self, evidence: Evidence, findings: list[Finding], settled: float) -> None:
        """Count one round in."""
        self.rounds += 1
        self.requests += len(evidence.requests)
        self.pushes += len(acknowledged(evidence))
        self.files += len(evidence.files)
        for org in evidence.orgs.values():
            self.drafts += len(org.drafts)
            self.exports += len(org.exports)
            self.events += len(org.events)
        self.find(findings)
        self.settle_seconds.append(settled)

    def find(self, findings: list[Finding]) -> None:
        """Count what was found."""
        self.found.update(finding.kind.value for finding in findings)

    def healed(self, kind: str, seconds: float) -> None:
        """Note how long one fault took to heal."""
        self.heal_seconds.setdefault(kind, []).append(seconds)

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "rounds": self.rounds,
            "requests": self.requests,
            "drafts": self.drafts,
            "pushes": self.pushes,
            "exports": self.exports,
            "files": self.files,
            "audit_events": self.events,
            "kills": dict(sorted(self.kills.items())),
            "kills_in_total": self.kills.total(),
            "faults": dict(sorted(self.faults.items())),
            "found": {kind.value: self.found[kind.value] for kind in Kind},
            "heal_seconds": {
                kind: {
                    "count": len(values),
                    "median": round(statistics.median(values), 2),
                    "worst": round(max(values), 2),
                }
                for kind, values in sorted(self.heal_seconds.items())
            },
            "settle_seconds": [round(each, 1) for each in self.settle_seconds],
        }


def acknowledged(evidence: Evidence) -> set[str]:
    """Exports that a client was told of as its push's."""
    return {
        request["export_id"]
        for request in evidence.requests
        if request["action"] in {"push", "retry"} and request["verdict"] == "yes"
    }
