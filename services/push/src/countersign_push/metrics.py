"""What this service counts, beside the RPC metrics that every service has."""

from prometheus_client import Counter

# outcome: "pushed", "replayed" or the reason of the refusal.
PUSHES = Counter(
    "countersign_pushes_total",
    "Drafts asked to be pushed, by operation and outcome.",
    ["operation", "outcome"],
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

REPLAY_CACHE_FAILURES = Counter(
    "countersign_replay_cache_failures_total",
    "Exchanges with Redis that failed or took too long; the database answered instead.",
)
