"""Read, decide, write if nobody was faster: how every act but submit and approve is done."""

import asyncio
import random
from collections.abc import Callable, Sequence
from uuid import UUID

from countersign_approval.draft import Draft
from countersign_approval.draft_change import DraftChange
from countersign_approval.draft_content import rough_bytes
from countersign_approval.ports import Drafts, WakeUp
from countersign_approval.refusals import draft_not_found, lost_every_race, wrong_state
from countersign_core.errors import VersionMismatch
from countersign_core.lifecycle import DraftStatus
from countersign_platform.off_loop import off_loop

_ATTEMPTS = 8
# Losers come back at different moments, the later the more often they lost.
_BACKOFF_SECONDS = 0.02

Decide = Callable[[Draft], DraftChange | None]


class Reviser:
    """Changes one draft by a pure decision."""

    def __init__(self, drafts: Drafts, wake: WakeUp) -> None:
        self._drafts = drafts
        self._wake = wake

    async def revise(self, org_id: UUID, draft_id: UUID, decide: Decide) -> Draft:
        """The draft after the change that `decide` makes of it; as it is when that is None.

        `decide` is asked again, with the draft as it stands then, whenever somebody was faster.

        Raises:
            CountersignError: DRAFT_NOT_FOUND, UNAVAILABLE after too many lost races, and
                whatever `decide` raises.
        """
        for attempt in range(_ATTEMPTS):
            seen = await self._drafts.read(org_id, draft_id)
            if seen is None:
                raise draft_not_found()
            change = await off_loop(rough_bytes(seen.document), decide, seen)
            if change is None:
                return seen
            changed = await self._drafts.change(change)
            if changed is not None:
                self._wake()
                return changed
            await asyncio.sleep(random.uniform(0, _BACKOFF_SECONDS * (attempt + 1)))  # noqa: S311 — spreads load, guards nothing
        raise lost_every_race()


def require(
    verb: str, seen: Draft, allowed: Sequence[DraftStatus], expected_version: int | None
) -> None:
    """Returns when `seen` is in an allowed state and the caller saw this version.

    Raises:
        WrongState: names the states in the order of `allowed`.
        VersionMismatch: it changed since.
    """
    if seen.status not in allowed:
        raise wrong_state(verb, seen.status, allowed)
    if expected_version is not None and expected_version != seen.version:
        raise VersionMismatch(expected=expected_version, current=seen.version)
