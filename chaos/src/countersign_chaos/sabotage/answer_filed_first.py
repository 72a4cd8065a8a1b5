"""The worker, filing the ERP's answer away before push has it on record."""

from countersign_chaos.world import mortal_worker
from countersign_export_worker.ack_poller import AckPoller
from countersign_export_worker.assignment import ConnectionAccess
from countersign_export_worker.ports import AckFile

_report = AckPoller._report  # noqa: SLF001 — that is the sabotage


async def _file_first(self: AckPoller, connection: ConnectionAccess, ack: AckFile) -> bool | None:
    connector = self._connectors.reach(connection)
    await connector.file_ack(ack, understood=bool(ack.file_name))
    return await _report(self, connection, ack)


def main() -> None:
    """Start it."""
    AckPoller._report = _file_first  # type: ignore[method-assign]  # noqa: SLF001
    mortal_worker.main()


if __name__ == "__main__":
    main()
