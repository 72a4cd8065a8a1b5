"""A worker asks where to look for the ERP's answers."""

from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from countersign_push.assignment import ConnectionAccess
from countersign_push.commands.assign import open_access
from countersign_push.secret_box import KeyRing, SecretsUnreadable
from countersign_push.store.ack_polls import AckPollStore, Unsettled

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class AckPoll:
    """A connection to look at, with what was unsettled there at the last look, by name."""

    connection: ConnectionAccess
    unsettled: Mapping[str, Unsettled]


class ClaimAckPolls:
    """Gives each connection that is due to one worker."""

    def __init__(self, polls: AckPollStore, keys: KeyRing) -> None:
        self._polls = polls
        self._keys = keys

    async def __call__(self, worker_id: str, most: int) -> list[AckPoll]:
        """The connections, secrets open; one whose secrets do not open waits for its lease."""
        polls = []
        for row in await self._polls.claim(worker_id, most):
            try:
                polls.append(AckPoll(open_access(row.connection, self._keys), row.unsettled))
            except SecretsUnreadable as error:
                _log.warning(
                    "connection_secrets_unreadable",
                    connection_id=str(row.connection.id),
                    problem=str(error),
                )
        return polls
