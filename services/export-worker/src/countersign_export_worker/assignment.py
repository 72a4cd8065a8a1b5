"""What a worker is given: an export, the right to it, and where it goes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on one export; the highest `fence` is the valid one."""

    org_id: UUID
    export_id: UUID
    fence: int


@dataclass(frozen=True, slots=True)
class ConnectionAccess:
    """A connection with its secrets. `version` grows with every change of it."""

    id: UUID
    org_id: UUID
    connector_type: str
    config_json: str
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    version: int = 1
    # Deliveries to it at once in this worker; 0: the worker's own limit.
    concurrency: int = 0


@dataclass(frozen=True, slots=True)
class Assignment:
    """One export to deliver; see countersign.push.v1.Assignment for every field.

    `staged_name` is the temporary name on record, "" when there is none. `lease_seconds`
    counts from the claim. Digests are 64 lower-case hex digits.
    """

    lease: Lease
    lease_seconds: float
    attempt: int
    last_attempt: bool
    file_name: str
    document: bytes = field(repr=False)
    document_sha256: str
    content_sha256: str
    staged_name: str
    connection: ConnectionAccess
    draft_order_id: UUID
    request_id: str = ""
    traceparent: str = ""
    # An operator wants it taken back.
    cancel_requested: bool = False
