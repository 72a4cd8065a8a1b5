"""An ERP connection as the service keeps it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from countersign_push.secret_box import Sealed


class ConnectionStatus(StrEnum):
    """Whether a connection takes pushes."""

    ACTIVE = "ACTIVE"
    # Takes none; what is under way is finished.
    DISABLED = "DISABLED"


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
    secrets: Sealed | None = field(default=None, repr=False)
    created_at: datetime | None = None
    updated_at: datetime | None = None
    last_test_at: datetime | None = None
    last_test_result: Mapping[str, Any] | None = None

    def facts(self) -> dict[str, Any]:
        """What the audit trail shows of it: names of secrets, never their values."""
        return {
            "name": self.name,
            "connector_type": self.connector_type,
            "config": dict(self.config),
            "secret_names": list(self.secret_names),
            "status": self.status.value,
            "version": self.version,
        }
