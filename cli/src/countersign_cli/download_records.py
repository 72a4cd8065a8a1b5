"""Where records end in a download that may break off anywhere, and which event is the last."""

import csv
import io
import json
from typing import Protocol

END = b"end_of_export"
# Of a row of CSV, from 0; the first row names the columns.
_SEQ_COLUMN = 1


class Records(Protocol):
    """Cuts a stream of bytes into whole records; `marks_end` when the last one says so."""

    marks_end: bool

    def cut(self, buffer: bytes) -> int:
        """How many of these bytes are whole records; the buffer begins with one."""

    def last_seq(self, whole: bytes) -> int | None:
        """Seq of the last event in whole records; None when there is none."""

    def ends(self, whole: bytes) -> bool:
        """Whether they end with the end record."""


class LineRecords:
    """JSON lines, bare or in CloudEvents."""

    marks_end = True

    def cut(self, buffer: bytes) -> int:
        """Up to the last line end."""
        return buffer.rfind(b"\n") + 1

    def last_seq(self, whole: bytes) -> int | None:
        """From the last line that is an event."""
        for line in reversed(whole.splitlines()):
            record = json.loads(line)
            record = record.get("data", record)
            if "seq" in record:
                return int(record["seq"])
        return None

    def ends(self, whole: bytes) -> bool:
        """The end record is the one without a seq."""
        last = whole.rstrip(b"\n").rpartition(b"\n")[2]
        return END in last and "seq" not in json.loads(last).get("data", json.loads(last))


class CsvRecords:
    """Rows of CSV, every field quoted; a field may hold line ends."""

    marks_end = False

    def cut(self, buffer: bytes) -> int:
        """Up to the last line end that is outside of quotes."""
        end = len(buffer)
        while (end := buffer.rfind(b"\r\n", 0, end)) >= 0:
            if buffer.count(b'"', 0, end) % 2 == 0:
                return end + 2
        return 0

    def last_seq(self, whole: bytes) -> int | None:
        """From the last row that is an event."""
        rows = list(csv.reader(io.StringIO(whole.decode(), newline="")))
        seqs = [row[_SEQ_COLUMN] for row in rows if row and row[_SEQ_COLUMN].isdecimal()]
        return int(seqs[-1]) if seqs else None

    def ends(self, whole: bytes) -> bool:  # noqa: ARG002 — a table has no end record
        """Never: the end of the download is the end of the table."""
        return False


RECORDS: dict[str, Records] = {
    "jsonl": LineRecords(),
    "cloudevents": LineRecords(),
    "csv": CsvRecords(),
}
