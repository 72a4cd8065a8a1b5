"""One message waiting in an outbox."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

LANE_WORK = "work"
LANE_AUDIT = "audit"
LANE_ARCHIVE = "archive"


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A row that a relay has leased.

    Attributes:
        seq: order of writing within the schema.
        headers: traceparent and x-request-id of the call that acted; either may be missing.
        created_at: when the act was written, by the database's clock, UTC.
        attempts: how often this row was refused before.
        leased_until: until when the lease holds, by the database's clock.
    """

    org_id: UUID
    id: UUID
    seq: int
    lane: str
    payload: bytes
    headers: Mapping[str, str]
    created_at: datetime
    attempts: int
    leased_until: datetime
