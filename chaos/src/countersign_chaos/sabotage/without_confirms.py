"""The push service, taking a message for published as soon as it is written to a socket."""

from functools import partialmethod
from typing import Any

import aio_pika

from countersign_push import __main__ as push

_channel = aio_pika.Connection.channel


def _unconfirmed(connection: aio_pika.Connection, **options: Any) -> Any:
    return _channel(
        connection, **options | {"publisher_confirms": False, "on_return_raises": False}
    )


def main() -> None:
    """Start it."""
    aio_pika.Connection.channel = partialmethod(_unconfirmed)  # type: ignore[assignment]
    push.main()


if __name__ == "__main__":
    main()
