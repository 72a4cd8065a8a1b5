"""ERROR → PUSHING and a new export that names the failed one it follows."""

from countersign_platform.rpc.call import Call
from countersign_push.push_intent import Operation, PushIntent, PushResult
from countersign_push.pusher import Pusher


class RetryPush:
    """Pushes a draft again whose export failed."""

    def __init__(self, pusher: Pusher) -> None:
        self._pusher = pusher

    async def __call__(self, call: Call, intent: PushIntent) -> PushResult:
        """The new export, or the one that an earlier call with the same key made.

        Raises:
            CountersignError: the refusals of PushService.RetryPush.
        """
        return await self._pusher.push_one(call, Operation.RETRY, intent)
