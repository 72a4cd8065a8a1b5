"""No Redis: every replay is read from the database. Apart, so that Redis' client is not loaded."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from countersign_push.ports import FinalReplay, KeyScope


class NoReplayCache:
    """Knows nothing: every replay is read from the database."""

    async def look_up(
        self,
        scope: KeyScope,  # noqa: ARG002 — part of the port
        draft_ids: Sequence[UUID],  # noqa: ARG002 — part of the port
    ) -> Mapping[UUID, FinalReplay]:
        """Nothing."""
        return {}

    async def keep(
        self, scope: KeyScope, draft_id: UUID, replay: FinalReplay, lifetime_seconds: float
    ) -> None:
        """Keeps nothing."""

    async def close(self) -> None:
        """There is nothing to close."""
