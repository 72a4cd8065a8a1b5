"""All that the checker may know: logs of clients, dropzones and ERPs, and public answers."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

Row = dict[str, Any]


@dataclass(slots=True)
class OrgEvidence:
    """What the public APIs say of one org once everything has settled, each list whole.

    `changes` is the feed of status changes as somebody who watched it was told. `leftovers`
    are names in its dropzone that should not be there any more.
    """

    drafts: list[Row] = field(default_factory=list)
    exports: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    verdict: Row = field(default_factory=dict)
    changes: list[Row] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Evidence:
    """Logs in the order of their lines, and one record per org."""

    requests: list[Row] = field(default_factory=list)
    files: list[Row] = field(default_factory=list)
    answers: list[Row] = field(default_factory=list)
    orgs: dict[str, OrgEvidence] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write all of it into one file."""
        path.write_text(json.dumps(asdict(self), ensure_ascii=False))

    @classmethod
    def load(cls, path: Path) -> "Evidence":
        """Read what `save` wrote."""
        data = json.loads(path.read_text())
        orgs = {org: OrgEvidence(**record) for org, record in data.pop("orgs").items()}
        return cls(**data, orgs=orgs)
