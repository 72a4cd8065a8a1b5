"""What can be seen of an outbox."""

from prometheus_client import Counter, Gauge

_LANE = ["schema", "lane"]

ROWS = Gauge("countersign_outbox_rows", "Rows that wait to be sent.", _LANE)
OLDEST_SECONDS = Gauge(
    "countersign_outbox_oldest_seconds", "Age of the oldest row that waits to be sent.", _LANE
)
QUARANTINED = Gauge(
    "countersign_outbox_quarantined",
    "Rows that were refused too often and wait for an operator.",
    _LANE,
)
SENT = Counter("countersign_outbox_sent_total", "Rows that the other side has.", _LANE)
# cause: "refused" when the row itself was refused, "away" when the other side was not there.
FAILURES = Counter(
    "countersign_outbox_failures_total",
    "Rows that a try left in the outbox, by cause.",
    [*_LANE, "cause"],
)
