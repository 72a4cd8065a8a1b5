"""An ERP connection as the service keeps it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from countersign_push.secret_box import Sealed


class ConnectionStatus(StrEnum):
    """Whether a connection takes pushes."""

    ACTIVE = "ACTIVE"
    # Takes pushes; they wait until it is resumed.
    PAUSED = "PAUSED"
    # Takes none; what is under way is finished.
    DISABLED = "DISABLED"


class BreakerState(StrEnum):
    """What workers last said of a connection's server."""

    CLOSED = "CLOSED"
    # It did not answer several times in a row and is left alone for a while.
    OPEN = "OPEN"
    # One try is under way that decides.
    HALF_OPEN = "HALF_OPEN"


@dataclass(frozen=True, slots=True)
class ConnectionHealth:
    """A worker's last word on a connection's server; `failure` and `message` unless CLOSED."""

    breaker: BreakerState
    since: datetime | None = None
    failure: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryTerms:
    """A connection's own limits; delays and periods in seconds. None: the installation's."""

    max_attempts: int | None = None
    first_delay_seconds: float | None = None
    longest_delay_seconds: float | None = None
    concurrency: int | None = None
    ack_sla_seconds: float | None = None
    ack_poll_seconds: float | None = None

    def given(self) -> dict[str, Any]:
        """The limits that are set, by name."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, slots=True)
class Connection:
    """One row of push.erp_connections; the secrets stay sealed."""

    org_id: UUID
    id: UUID
    name: str
    connector_type: str
    config: Mapping[str, Any]
    secret_names: tuple[str, ...]
    status: ConnectionStatus
    version: int
    terms: DeliveryTerms = field(default_factory=DeliveryTerms)
    secrets: Sealed | None = field(default=None, repr=False)
    created_at: datetime | None = None
    updated_at: datetime | None = None
    last_test_at: datetime | None = None
    last_test_result: Mapping[str, Any] | None = None
    health: ConnectionHealth | None = None

    def facts(self) -> dict[str, Any]:
        """What the audit trail shows of it: names of secrets, never their values."""
        return {
            "name": self.name,
            "connector_type": self.connector_type,
            "config": _exact(self.config),
            "secret_names": list(self.secret_names),
            "status": self.status.value,
            "version": self.version,
            "terms": _exact(self.terms.given()),
        }


def _exact(value: Any) -> Any:
    """The same with floats in their shortest decimal text: an audit record has no floats."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else repr(value)
    if isinstance(value, Mapping):
        return {key: _exact(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_exact(item) for item in value]
    return value
