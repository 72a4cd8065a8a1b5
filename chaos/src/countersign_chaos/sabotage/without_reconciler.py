"""The push service, never offering anything again."""

from countersign_push import __main__ as push
from countersign_push.reconciler import MessageOffers


async def _offer_nothing(offers: MessageOffers, offered_before: float) -> int:
    del offers, offered_before
    return 0


def main() -> None:
    """Start it."""
    MessageOffers.__call__ = _offer_nothing  # type: ignore[method-assign, assignment]
    push.main()


if __name__ == "__main__":
    main()
