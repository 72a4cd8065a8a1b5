"""One export, ready for a worker: document built, secrets open. Never logged, never stored."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from countersign_push.export_record import ExportRecord
from countersign_push.secret_box import KeyRing, Owner, Sealed


@dataclass(frozen=True, slots=True)
class ConnectionAccess:
    """A connection as a worker needs it; `secrets` stay out of its repr."""

    org_id: UUID
    id: UUID
    connector_type: str
    config: Mapping[str, Any]
    version: int
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    # Deliveries of one worker to it at once; None: the worker's own limit.
    concurrency: int | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """`document` is UTF-8 JSON; empty only for an export that was staged before."""

    export: ExportRecord
    document: bytes = field(repr=False)
    connection: ConnectionAccess
    lease_seconds: float
    last_attempt: bool


def seal_secrets(secrets: Mapping[str, str], keys: KeyRing, owner: Owner) -> Sealed | None:
    """The secrets as they are stored; None when there are none."""
    if not secrets:
        return None
    return keys.seal(json.dumps(dict(secrets)).encode(), owner)


def open_secrets(sealed: Sealed | None, keys: KeyRing, owner: Owner) -> dict[str, str]:
    """The secrets by name.

    Raises:
        SecretsUnreadable: they were sealed for another owner, by an unknown key, or altered.
    """
    if sealed is None:
        return {}
    opened: dict[str, str] = json.loads(keys.open(sealed, owner))
    return opened
