"""What the push use cases need from outside; the adapters are in store/ and replay_cache.py."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from countersign_core.lifecycle import ExportStatus
from countersign_push.push_intent import Operation


@dataclass(frozen=True, slots=True)
class KeyScope:
    """Where an idempotency key counts, but for the draft."""

    org_id: UUID
    operation: Operation
    key: str


@dataclass(frozen=True, slots=True)
class FinalReplay:
    """The answer to a key that can no longer change: its export is ACKED or FAILED."""

    export_id: UUID
    status: ExportStatus
    request_sha256: bytes


class ReplayCache(Protocol):
    """Final answers by key; may forget anything at any time, and never raises."""

    async def look_up(
        self, scope: KeyScope, draft_ids: Sequence[UUID]
    ) -> Mapping[UUID, FinalReplay]:
        """What is known, by draft."""

    async def keep(
        self, scope: KeyScope, draft_id: UUID, replay: FinalReplay, lifetime_seconds: float
    ) -> None:
        """Keeps one answer until its key expires."""

    async def close(self) -> None:
        """Lets go of what it holds."""


class WakeUp(Protocol):
    """Tells the relay that there are new rows."""

    def __call__(self) -> None:
        """Returns at once."""
