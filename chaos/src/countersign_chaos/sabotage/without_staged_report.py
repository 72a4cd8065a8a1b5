"""The worker, publishing what no record knows of."""

from countersign_chaos.world import mortal_worker
from countersign_export_worker.delivery import Delivery
from countersign_export_worker.file_names import DropName


async def _record_nothing(delivery: Delivery, token: DropName) -> None:
    del delivery, token


def main() -> None:
    """Start it."""
    Delivery._record_token = _record_nothing  # type: ignore[method-assign, assignment]  # noqa: SLF001
    mortal_worker.main()


if __name__ == "__main__":
    main()
