"""What can be seen of a worker."""

from prometheus_client import Counter, Gauge, Histogram

# outcome: SENT, FAILED, DEFERRED, HELD, LEASE_LOST, RELEASED or ABANDONED; code: the error's, or
# how a SENT is known.
DELIVERIES = Counter(
    "countersign_deliveries_total", "Delivery attempts that ended.", ["outcome", "code"]
)
DELIVERY_SECONDS = Histogram(
    "countersign_delivery_seconds",
    "From the claim to the last report of an attempt.",
    ["outcome"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0),
)
DELIVERING = Gauge("countersign_worker_slots_in_use", "Deliveries under way.")
IN_HAND = Gauge("countersign_worker_in_hand", "Claimed exports, delivering or waiting for a slot.")
LEASES_LOST = Counter(
    "countersign_leases_lost_total", "Leases that ended while their delivery was under way."
)
# source: broker or poll. claimed: whether the wake-up led to an export.
WAKE_UPS = Counter(
    "countersign_worker_wake_ups_total",
    "Times that the worker was told to look.",
    ["source", "claimed"],
)
LEFTOVERS_REMOVED = Counter(
    "countersign_leftovers_removed_total", "Files of dead workers that the sweeper removed."
)
BREAKERS_OPEN = Gauge(
    "countersign_worker_breakers_open", "Connections whose server is left alone for a while."
)
BREAKER_CHANGES = Counter(
    "countersign_worker_breaker_changes_total", "Changes of a connection's breaker.", ["state"]
)
ACKS = Counter("countersign_acks_total", "Answers of the ERP that were handled.", ["outcome"])
