"""A dropzone: where it is, how workers reach it, and how the ERP behind it behaves."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

# Retries that come within a settling time, answers that are looked for often.
TERMS = {"longest_delay_seconds": 8.0, "first_delay_seconds": 1.0, "ack_poll_seconds": 1.0}


class PickUp(StrEnum):
    """When the ERP takes a file away."""

    AT_ONCE = "at_once"
    LATE = "late"
    NEVER = "never"


class Answer(StrEnum):
    """What the ERP says of a file."""

    RIGHT = "right"
    DUPLICATE = "duplicate"
    LATE = "late"
    REFUSED = "refused"
    MALFORMED = "malformed"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Temperament:
    """How an ERP behaves; `answers` are weights, empty where it never answers."""

    pick_up: PickUp
    answers: dict[Answer, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Zone:
    """One org's dropzone. `disk` is a file system of its own that can be filled."""

    name: str
    org: UUID
    folder: Path
    temperament: Temperament
    config: dict[str, Any]
    secrets: dict[str, str] = field(default_factory=dict)
    acks: Path | None = None
    disk: Path | None = None
    server: str = ""

    def body(self) -> dict[str, Any]:
        """What creates its connection."""
        return {
            "name": self.name,
            "connector_type": "DROPZONE_JSON_V1",
            "config": self.config,
            "secrets": self.secrets,
            "terms": TERMS,
        }

    def leftovers(self) -> list[str]:
        """Temporary and withdrawn files, and answers that nobody has filed away."""
        hidden = [
            path.name
            for path in self.folder.iterdir()
            if path.name.startswith(".sales_order_") or path.name.endswith(".tmp")
        ]
        answers = [] if self.acks is None else self.acks.iterdir()
        return hidden + [path.name for path in answers if path.is_file()]
