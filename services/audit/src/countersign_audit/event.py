"""What the trail records: one act, and its place in the org's chain."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Event:
    """One act. Texts that do not apply are empty, never None.

    `occurred_at` is aware, in microseconds; `before_json` and `after_json` are JSON objects,
    kept letter by letter as they were sent.
    """

    org_id: UUID
    event_id: UUID
    occurred_at: datetime
    actor_user_id: str
    action: str
    entity_type: str
    entity_id: str
    draft_order_id: str = ""
    request_id: str = ""
    trace_id: str = ""
    ip: str = ""
    user_agent: str = ""
    before_json: str = ""
    after_json: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """An event on record: `seq` from 1, `prev_hash` and `hash` of 32 bytes."""

    event: Event
    seq: int
    prev_hash: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """Where an org's chain ends. `seq` 0 with `GENESIS_HASH`: nothing is on record."""

    seq: int
    hash: bytes
