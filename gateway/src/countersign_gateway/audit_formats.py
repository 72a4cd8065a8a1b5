"""How exported audit events are written: JSON lines, CSV, CloudEvents.

JSON lines hold every field letter by letter as the hash covers it, so that a file can be
verified without this system; the last line says what the file must hold. CloudEvents carry the
same line as their data. CSV is for reading: no format that spreadsheets open safely keeps every
text as it was.
"""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from google.protobuf.timestamp_pb2 import Timestamp
from pydantic_core import to_json

from countersign.audit.v1 import audit_service_pb2 as audit

# In the order in which the hash covers them; then the two hashes.
FIELDS = (
    "org_id",
    "seq",
    "event_id",
    "occurred_at",
    "actor_user_id",
    "action",
    "entity_type",
    "entity_id",
    "draft_order_id",
    "request_id",
    "trace_id",
    "ip",
    "user_agent",
    "before_json",
    "after_json",
    "prev_hash",
    "hash",
)
END = "end_of_export"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# What makes a spreadsheet take a cell for a formula, the full-width forms included.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# The sequence extension of CloudEvents is compared as text.
_SEQUENCE_DIGITS = 19


class AuditFormat(StrEnum):
    """A format by its name."""

    JSONL = "jsonl"
    CSV = "csv"
    CLOUDEVENTS = "cloudevents"


class EventWriter(Protocol):
    """Writes an export in one format."""

    media_type: str
    extension: str

    def head(self) -> bytes:
        """What comes before the first event of a file."""

    def event(self, event: audit.AuditEvent) -> bytes:
        """One event."""

    def end(self, facts: dict[str, Any]) -> bytes:
        """What comes after the last event of a whole export."""


class JsonLines:
    """One JSON object per line."""

    media_type = "application/x-ndjson"
    extension = "jsonl"

    def head(self) -> bytes:
        """Nothing."""
        return b""

    def event(self, event: audit.AuditEvent) -> bytes:
        """The record of the event."""
        return to_json(record(event)) + b"\n"

    def end(self, facts: dict[str, Any]) -> bytes:
        """One line with the facts under END."""
        return to_json({END: facts}) + b"\n"


class CloudEvents:
    """CloudEvents 1.0 in structured mode, one per line; `data` is the record."""

    media_type = "application/x-ndjson"
    extension = "cloudevents.jsonl"

    def head(self) -> bytes:
        """Nothing."""
        return b""

    def event(self, event: audit.AuditEvent) -> bytes:
        """The event in its envelope."""
        return to_json(cloud_event(record(event))) + b"\n"

    def end(self, facts: dict[str, Any]) -> bytes:
        """An event of a type of its own that carries the facts."""
        envelope = {
            "specversion": "1.0",
            "id": f"{END}-{facts['after_seq']}-{facts['up_to_seq']}-{facts['head_hash'][:16]}",
            "source": _source(facts["org_id"]),
            "type": f"countersign.audit.{END}",
            "datacontenttype": "application/json",
            "data": {END: facts},
        }
        return to_json(envelope) + b"\n"


class Csv:
    """RFC 4180 in UTF-8, every field quoted; a text that could be a formula begins with '."""

    media_type = "text/csv; charset=utf-8"
    extension = "csv"

    def head(self) -> bytes:
        """The names of the columns."""
        return _csv_row(list(FIELDS))

    def event(self, event: audit.AuditEvent) -> bytes:
        """One row."""
        return _csv_row([_harmless(str(value)) for value in record(event).values()])

    def end(self, facts: dict[str, Any]) -> bytes:  # noqa: ARG002 — a row of another shape is none
        """Nothing: a table has no room for it."""
        return b""


WRITERS: dict[AuditFormat, EventWriter] = {
    AuditFormat.JSONL: JsonLines(),
    AuditFormat.CSV: Csv(),
    AuditFormat.CLOUDEVENTS: CloudEvents(),
}


def record(event: audit.AuditEvent) -> dict[str, Any]:
    """The event as FIELDS, absent texts empty."""
    found = {name: getattr(event, name) for name in FIELDS}
    found["occurred_at"] = moment_text(event.occurred_at)
    return found


def cloud_event(data: dict[str, Any]) -> dict[str, Any]:
    """The envelope of a record; all of it follows from the record."""
    return {
        "specversion": "1.0",
        "id": data["event_id"],
        "source": _source(data["org_id"]),
        "type": f"countersign.audit.{data['action']}",
        "subject": f"{data['entity_type']}/{data['entity_id']}",
        "time": data["occurred_at"],
        "sequence": str(data["seq"]).zfill(_SEQUENCE_DIGITS),
        "datacontenttype": "application/json",
        "data": data,
    }


def moment_text(timestamp: Timestamp) -> str:
    """In UTC with six decimals, as the hash covers it: 2026-03-01T09:30:00.000001Z."""
    since = timedelta(seconds=timestamp.seconds, microseconds=timestamp.nanos // 1000)
    written = (_EPOCH + since).isoformat(timespec="microseconds")
    return written.removesuffix("+00:00") + "Z"


def _source(org_id: str) -> str:
    return f"urn:countersign:audit:{org_id}"


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _csv_row(cells: list[str]) -> bytes:
    quoted = ('"' + cell.replace('"', '""') + '"' for cell in cells)
    return (",".join(quoted) + "\r\n").encode()
