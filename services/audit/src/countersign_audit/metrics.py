"""What this service counts, beside the RPC metrics that every service has."""

from prometheus_client import Counter, Gauge, Histogram

EVENTS = Counter(
    "countersign_audit_events_total",
    "Events written to the trail, by action; repeated ones are not counted.",
    ["action"],
)
ALREADY_KNOWN = Counter(
    "countersign_audit_events_already_known_total",
    "Events that were sent although they were on record.",
)
APPEND_SECONDS = Histogram(
    "countersign_audit_append_seconds",
    "Time to write one batch, waiting for the heads included.",
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
)
BATCH_SIZE = Histogram(
    "countersign_audit_append_batch_size",
    "Events per batch.",
    buckets=(1, 2, 5, 10, 25, 50, 100, 250, 500, 1000),
)
EXPORTED = Counter(
    "countersign_audit_events_exported_total",
    "Events that ExportEvents streamed.",
)
EXPORTS_NOT_RECORDED = Counter(
    "countersign_audit_exports_not_recorded_total",
    "Exports of a trail so broken that AUDIT_EXPORTED could not be appended to it.",
)
LINKS_VERIFIED = Counter(
    "countersign_audit_links_verified_total",
    "Links recomputed by VerifyChain, by whether the link holds.",
    ["holds"],
)
PARTITION_FAILURES = Counter(
    "countersign_audit_partition_failures_total",
    "Attempts to make partitions ahead of time that failed.",
)
CHECKPOINTS = Counter("countersign_audit_checkpoints_total", "Checkpoints made.")
CHECKPOINTS_REFUSED = Counter(
    "countersign_audit_checkpoints_refused_total",
    "Checkpoints that were due, but not signed: the chain does not hold.",
)
SEALS_NOT_ARCHIVED = Gauge(
    "countersign_audit_seals_not_archived",
    "Seals on record that the archive does not have yet.",
)
ARCHIVE_FAILURES = Counter(
    "countersign_audit_archive_failures_total",
    "Attempts to write seals to the archive, or to read them there, that failed.",
)
SEALING_FAILURES = Counter(
    "countersign_audit_sealing_failures_total",
    "Turns of the sealing that failed; the next turn tries again.",
)
EVENTS_REMOVED = Counter(
    "countersign_audit_events_removed_total",
    "Events removed when their retention had ended.",
)
REMOVALS_REFUSED = Counter(
    "countersign_audit_removals_refused_total",
    "Stretches past their retention that stay, because the chain does not hold.",
)
