"""Who takes rows out of the house: the port of a lane."""

from collections.abc import Sequence
from typing import Protocol

from countersign_core.errors import CountersignError
from countersign_core.reasons import Reason
from countersign_platform.outbox.row import OutboxRow


class Sender(Protocol):
    """Sends the rows of one lane. Implementations: BrokerSender, AuditSender."""

    async def send(self, rows: Sequence[OutboxRow]) -> Sequence[Exception | None]:
        """Tell the other side; one result per row, in the same order.

        A result is None once the other side has the row for good; Unavailable when the other
        side is away, which is not the row's fault: the lane waits and the row is not charged;
        any other error when this very row is refused: it is charged, and waits alone.

        Raising stands for the same result on every row. A row may be sent more than once.
        """
        ...


def is_charged_for_good(error: Exception) -> bool:
    """Whether `error` counts toward the quarantine of its row.

    An INTERNAL error may be the receiver's fault as well as the row's: the row backs off like
    a refused one, and is kept trying.
    """
    return not (isinstance(error, CountersignError) and error.reason is Reason.INTERNAL)
