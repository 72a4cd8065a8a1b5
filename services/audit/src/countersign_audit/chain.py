"""The hash chain of an org: which bytes of an event are hashed, and how links hang together.

`audit.canonical_form` and `audit.next_link` in the database do the same when they write; the
tests hold the two equal. docs/decisions/0005 says why the form is what it is.
"""

import hashlib
from datetime import UTC, datetime

from countersign_audit.event import Event

# prev_hash of seq 1.
GENESIS_HASH = bytes(32)

# Names the form. Another form gets another name, so that no two forms share a byte string.
FORM = "countersign-audit-v1"


def canonical_form(event: Event, seq: int) -> bytes:
    """The bytes that stand for `event` at `seq`: its fields as netstrings, in a fixed order."""
    fields = (
        FORM,
        str(event.org_id),
        str(seq),
        str(event.event_id),
        timestamp_text(event.occurred_at),
        event.actor_user_id,
        event.action,
        event.entity_type,
        event.entity_id,
        event.draft_order_id,
        event.request_id,
        event.trace_id,
        event.ip,
        event.user_agent,
        event.before_json,
        event.after_json,
    )
    return "".join(map(netstring, fields)).encode()


def link_hash(prev_hash: bytes, event: Event, seq: int) -> bytes:
    """SHA-256 (32 bytes) of the link before and of the event."""
    return hashlib.sha256(prev_hash + canonical_form(event, seq)).digest()


def timestamp_text(moment: datetime) -> str:
    """`moment` (aware) in UTC with six decimals, for example 2026-03-01T09:30:00.000001Z."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def netstring(text: str) -> str:
    """`<length>:<text>,`; the length is that in bytes of UTF-8."""
    length = len(text) if text.isascii() else len(text.encode())
    return f"{length}:{text},"
