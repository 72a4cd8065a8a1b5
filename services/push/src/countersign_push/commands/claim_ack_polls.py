"""A worker asks where to look for the ERP's answers."""

import structlog

from countersign_push.assignment import ConnectionAccess
from countersign_push.commands.assign import open_access
from countersign_push.secret_box import KeyRing, SecretsUnreadable
from countersign_push.store.ack_polls import AckPollStore

_log = structlog.get_logger()


class ClaimAckPolls:
    """Gives each connection that is due to one worker."""

    def __init__(self, polls: AckPollStore, keys: KeyRing) -> None:
        self._polls = polls
        self._keys = keys

    async def __call__(self, worker_id: str, most: int) -> list[ConnectionAccess]:
        """The connections, secrets open; one whose secrets do not open waits for its lease."""
        accesses = []
        for connection in await self._polls.claim(worker_id, most):
            try:
                accesses.append(open_access(connection, self._keys))
            except SecretsUnreadable as error:
                _log.warning(
                    "connection_secrets_unreadable",
                    connection_id=str(connection.id),
                    problem=str(error),
                )
        return accesses
