"""The worker, acknowledging a message before anything came of it."""

from aio_pika.abc import AbstractIncomingMessage

from countersign_chaos.world import mortal_worker
from countersign_core.errors import Unavailable
from countersign_platform.broker import consumer


async def _ack_first(self: consumer.Consumer, message: AbstractIncomingMessage) -> None:
    await self._answer(message.ack(), "acked")
    try:
        await self._handler(consumer._incoming(message))  # noqa: SLF001 — that is the sabotage
    except Unavailable:
        return


def main() -> None:
    """Start it."""
    consumer.Consumer._handle = _ack_first  # type: ignore[method-assign]  # noqa: SLF001
    mortal_worker.main()


if __name__ == "__main__":
    main()
