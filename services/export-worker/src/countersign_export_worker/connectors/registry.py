"""Which connector serves a connection: the entry-point group `countersign.connectors`.

An entry point's name is the connection's connector_type; what it names is a ConnectorType, so
that a connector is a package that anybody installs beside the worker. One that cannot be
loaded stops nobody: it is in the log, and its connections answer UNKNOWN_CONNECTOR.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
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


@dataclass(slots=True)
class _Opened:
    version: int
    connector: AnyConnector
    used_at: float
    users: int = 0


class ConnectorRegistry:
    """One open connector per connection, made anew when the connection has changed.

    What it keeps open (threads, connections to a server) is let go when nobody has used it for a
    while, and at once when its connection has changed and its last user is done.
    """

    def __init__(
        self,
        connectors: Mapping[str, OpenConnector],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`connectors`: how to open each connector_type; `clock` answers monotonic seconds."""
        self._connectors = connectors
        self._clock = clock
        self._open: dict[UUID, _Opened] = {}
        # Replaced, and not closed yet: a call may still be under way.
        self._stale: list[_Opened] = []

    @contextmanager
    def using(self, access: ConnectionAccess) -> Iterator[AnyConnector]:
        """The connector of a connection that was saved; not closed as long as the block lasts.

        Raises:
            TransientDeliveryError: UNKNOWN_CONNECTOR.
            PermanentDeliveryError: BAD_CONFIG, from the connector.
        """
        opened = self._opened(access)
        opened.users += 1
        try:
            yield opened.connector
        finally:
            opened.users -= 1
            opened.used_at = self._clock()

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

    async def close_idle(self, seconds: float) -> None:
        """Close what was not used for so long, and what was replaced; never what is in use."""
        now = self._clock()
        for connection_id, opened in list(self._open.items()):
            if opened.users == 0 and now - opened.used_at >= seconds:
                self._stale.append(self._open.pop(connection_id))
        free = [each for each in self._stale if each.users == 0]
        self._stale = [each for each in self._stale if each.users]
        await _close_all(free)

    async def aclose(self) -> None:
        """Close every connector."""
        closing = [*self._stale, *self._open.values()]
        self._open.clear()
        self._stale.clear()
        await _close_all(closing)

    def _opened(self, access: ConnectionAccess) -> _Opened:
        known = self._open.get(access.id)
        if known is not None and known.version >= access.version:
            return known
        opened = _Opened(access.version, self.open(access), self._clock())
        if known is not None:
            self._stale.append(known)
        self._open[access.id] = opened
        return opened


async def _close_all(opened: Iterable[_Opened]) -> None:
    for each in opened:
        try:
            await each.connector.aclose()
        except DeliveryError:
            pass
        except Exception:  # noqa: BLE001 — a plug-in's defect keeps nobody else's open
            _log.exception("connector_not_closed")
