"""What this service counts, beside the RPC metrics that every service has."""

from prometheus_client import Counter, Gauge, Histogram

# outcome: "pushed", "replayed" or the reason of the refusal.
PUSHES = Counter(
    "countersign_pushes_total",
    "Drafts asked to be pushed, by operation and outcome.",
    ["operation", "outcome"],
)

PUSHES_PER_STATEMENT = Histogram(
    "countersign_pushes_per_statement",
    "Drafts that went to the database together.",
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 512),
)

# source: "database" or "redis".
REPLAYS = Counter(
    "countersign_push_replays_total",
    "Pushes answered from an earlier one with the same idempotency key.",
    ["source"],
)

# outcome: SENT, ACKED or FAILED, counted when the export gets there.
EXPORTS = Counter(
    "countersign_exports_total",
    "Exports that reached an outcome, by outcome.",
    ["outcome"],
)

# outcome: "archived", "unbuildable" (the bytes that were sent cannot be made again) or
# "conflict" (other bytes lie in the archive already).
ARCHIVED = Counter(
    "countersign_archive_documents_total",
    "Documents that were to be archived, by outcome of each try.",
    ["outcome"],
)

# cause: "corrupt" or "missing".
ARCHIVE_UNREADABLE = Counter(
    "countersign_archive_unreadable_total",
    "Archived documents that were asked for and are not what was sent, or not there.",
    ["cause"],
)

REPLAY_CACHE_FAILURES = Counter(
    "countersign_replay_cache_failures_total",
    "Exchanges with Redis that failed or took too long; the database answered instead.",
)

# The gauges are set by the reconciler from the database: every replica shows the same.
EXPORTS_PENDING = Gauge("countersign_exports_pending", "Exports that are PENDING.")
EXPORTS_STUCK = Gauge(
    "countersign_exports_stuck",
    "PENDING exports whose due time or lease passed long ago without a worker taking them.",
)
EXPORTS_HELD = Gauge(
    "countersign_exports_held", "PENDING exports of which nobody knows whether the ERP has them."
)
OLDEST_PENDING = Gauge(
    "countersign_exports_oldest_pending_seconds", "Age of the oldest PENDING export."
)
