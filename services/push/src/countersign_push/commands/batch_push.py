"""Up to 500 pushes in one statement, each with an answer of its own."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from countersign_core.errors import FieldError, InvalidRequest
from countersign_platform.rpc.call import Call
from countersign_push.push_intent import Operation, PushIntent
from countersign_push.pusher import Answer, Pusher


class BatchPush:
    """Pushes many approved drafts."""

    def __init__(self, pusher: Pusher) -> None:
        self._pusher = pusher

    async def __call__(self, call: Call, intents: Sequence[PushIntent]) -> list[Answer]:
        """An answer per intent, in the order asked.

        Raises:
            InvalidRequest: a draft is in the request twice, or the key is malformed.
        """
        repeated = list(_repeated(intents))
        if repeated:
            raise InvalidRequest(repeated)
        return await self._pusher.push_all(call, Operation.PUSH, intents)


def _repeated(intents: Sequence[PushIntent]) -> Iterator[FieldError]:
    first: dict[UUID, int] = {}
    for position, intent in enumerate(intents):
        before = first.setdefault(intent.draft_id, position)
        if before != position:
            yield FieldError(
                f"items[{position}].draft_order_id", f"is the same draft as items[{before}]"
            )
