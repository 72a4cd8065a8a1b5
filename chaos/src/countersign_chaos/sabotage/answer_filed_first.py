"""The worker, filing the ERP's answer away before push has it on record."""

from countersign_chaos.world import mortal_worker
from countersign_export_worker.ack_look import AckLook
from countersign_export_worker.ports import AckFile

_report = AckLook._report  # noqa: SLF001 — that is the sabotage


async def _file_first(self: AckLook, ack: AckFile) -> bool | None:
    await self._connector.file_ack(ack, understood=bool(ack.file_name))
    return await _report(self, ack)


def main() -> None:
    """Start it."""
    AckLook._report = _file_first  # type: ignore[method-assign]  # noqa: SLF001
    mortal_worker.main()


if __name__ == "__main__":
    main()
