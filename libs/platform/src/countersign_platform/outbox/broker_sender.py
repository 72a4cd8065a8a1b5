"""The work lane: requests for work to the broker, confirmed one by one."""

from collections.abc import Sequence

from countersign_platform.broker.publisher import Outgoing, Publisher
from countersign_platform.outbox.row import OutboxRow

_KIND = "countersign.push.v1.ExportRequested"


class BrokerSender:
    """Sends through a Publisher; the message id is the row's, so a repeat can be told."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    async def send(self, rows: Sequence[OutboxRow]) -> Sequence[Exception | None]:
        """One result per row: None once the broker keeps it in a queue."""
        return await self._publisher.publish([_outgoing(row) for row in rows])


def _outgoing(row: OutboxRow) -> Outgoing:
    return Outgoing(
        message_id=str(row.id),
        body=row.payload,
        kind=_KIND,
        created_at=row.created_at,
        headers=row.headers,
    )
