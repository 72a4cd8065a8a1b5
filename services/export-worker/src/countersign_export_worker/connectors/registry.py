"""Which connector serves a connection: the entry-point group `countersign.connectors`.

An entry point's name is the connection's connector_type; what it names is a ConnectorType, so
that a connector is a package that anybody installs beside the worker. One that cannot be
loaded stops nobody: it is in the log, and its connections answer UNKNOWN_CONNECTOR.
"""

import contextlib
from collections.abc import Callable, Collection, Mapping
from importlib.metadata import EntryPoint, entry_points
from uuid import UUID

import structlog

from countersign_export_worker.assignment import ConnectionAccess
from countersign_export_worker.errors import DeliveryError, TransientDeliveryError
from countersign_export_worker.ports import AnyConnector, ConnectorType

GROUP = "countersign.connectors"

OpenConnector = Callable[[ConnectionAccess], AnyConnector]
_log = structlog.get_logger()


def installed_connectors() -> dict[str, ConnectorType]:
    """Every connector that is installed and can be loaded, by connector_type."""
    by_name: dict[str, set[EntryPoint]] = {}
    for entry in entry_points(group=GROUP):
        by_name.setdefault(entry.name, set()).add(entry)
    found = ((name, _load_only(entries)) for name, entries in sorted(by_name.items()))
    return {name: connector for name, connector in found if connector is not None}


def _load_only(entries: Collection[EntryPoint]) -> ConnectorType | None:
    # Which of two would win depends on the order of folders: neither does.
    if len(entries) > 1:
        values = sorted(entry.value for entry in entries)
        _log.error("connector_is_ambiguous", connector_type=min(entries).name, values=values)
        return None
    return _load(next(iter(entries)))


def _load(entry: EntryPoint) -> ConnectorType | None:
    try:
        loaded = entry.load()
    except Exception:  # noqa: BLE001 — a plug-in's import can raise anything
        _log.exception("connector_not_loaded", connector_type=entry.name, value=entry.value)
        return None
    if isinstance(loaded, ConnectorType):
        return loaded
    _log.error("connector_is_no_connector_type", connector_type=entry.name, value=entry.value)
    return None


class ConnectorRegistry:
    """One open connector per connection, made anew when the connection has changed."""

    def __init__(self, connectors: Mapping[str, OpenConnector]) -> None:
        """`connectors`: how to open each connector_type."""
        self._connectors = connectors
        self._open: dict[UUID, tuple[int, AnyConnector]] = {}
        # Replaced while a delivery may still use them; closed at the end.
        self._stale: list[AnyConnector] = []

    def connector_for(self, access: ConnectionAccess) -> AnyConnector:
        """The connector of a connection that was saved; the same one until it changes.

        Raises:
            TransientDeliveryError: UNKNOWN_CONNECTOR.
            PermanentDeliveryError: BAD_CONFIG, from the connector.
        """
        known = self._open.get(access.id)
        if known is not None and known[0] >= access.version:
            return known[1]
        connector = self.open(access)
        if known is not None:
            self._stale.append(known[1])
        self._open[access.id] = (access.version, connector)
        return connector

    def open(self, access: ConnectionAccess) -> AnyConnector:
        """A connector for this call alone, for a connection that may not be saved yet."""
        open_connector = self._connectors.get(access.connector_type)
        if open_connector is None:
            # Another worker may have it: in a roll-out, for a while, not all are alike.
            raise TransientDeliveryError(
                "UNKNOWN_CONNECTOR",
                f"No usable connector for {access.connector_type} is installed; if one should be,"
                " the worker's log says what is wrong with it.",
            )
        return open_connector(access)

    async def aclose(self) -> None:
        """Close every connector."""
        for connector in [*self._stale, *(connector for _, connector in self._open.values())]:
            with contextlib.suppress(DeliveryError):
                await connector.aclose()
        self._open.clear()
        self._stale.clear()
