"""The hash chain of an org: which bytes of an event are hashed, and how links hang together.

`audit.canonical_form` and `audit.next_link` in the database do the same when they write; the
tests hold the two equal. docs/decisions/0005 says why the form is what it is.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeAlias
from uuid import UUID

from countersign_audit.event import Event, Head, Link

# prev_hash of seq 1.
GENESIS_HASH = bytes(32)

# Names the form. Another form gets another name, so that no two forms share a byte string.
FORM = "countersign-audit-v1"


# A link as it is read in bulk: event_id in text, the fields of Event from occurred_at (UTC) to
# after_json in their order, seq, prev_hash, hash.
Row: TypeAlias = tuple[
    str, datetime, str, str, str, str, str, str, str, str, str, str, str, int, bytes, bytes
]


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


def all_hold(org_id: UUID, start: Head, rows: Sequence[Row]) -> bool:
    """Whether `rows` are the next links after `start`, one after the other.

    The same as link_hash, written out: it runs once per event on record.
    """
    prefix, sha256 = f"{netstring(FORM)}36:{org_id},", hashlib.sha256
    seq, head = start.seq, start.hash
    for row in rows:
        (event_id, moment, actor, action, kind, entity, draft, request, trace, ip, agent,
         before, after, stored_seq, prev_hash, stored_hash) = row  # fmt: skip
        seq += 1
        number, at = str(seq), moment.isoformat(timespec="microseconds")[:26]
        form = (
            f"{prefix}{len(number)}:{number},36:{event_id},27:{at}Z,{len(actor)}:{actor},"
            f"{len(action)}:{action},{len(kind)}:{kind},{len(entity)}:{entity},"
            f"{len(draft)}:{draft},{len(request)}:{request},{len(trace)}:{trace},{len(ip)}:{ip},"
            f"{len(agent)}:{agent},{len(before)}:{before},{len(after)}:{after},"
        )
        if form.isascii():
            data = form.encode()
        else:  # characters are not bytes
            fields = (number, event_id, f"{at}Z", *row[2:13])
            data = (prefix + "".join(map(netstring, fields))).encode()
        if stored_seq != seq or prev_hash != head or sha256(head + data).digest() != stored_hash:
            return False
        head = stored_hash
    return True


def row_of(link: Link) -> Row:
    """The link as it is read in bulk."""
    event = link.event
    return (
        str(event.event_id), event.occurred_at.astimezone(UTC), event.actor_user_id, event.action,
        event.entity_type, event.entity_id, event.draft_order_id, event.request_id,
        event.trace_id, event.ip, event.user_agent, event.before_json, event.after_json,
        link.seq, link.prev_hash, link.hash,
    )  # fmt: skip


def timestamp_text(moment: datetime) -> str:
    """`moment` (aware) in UTC with six decimals, for example 2026-03-01T09:30:00.000001Z."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def netstring(text: str) -> str:
    """`<length>:<text>,`; the length is that in bytes of UTF-8."""
    length = len(text) if text.isascii() else len(text.encode())
    return f"{length}:{text},"
