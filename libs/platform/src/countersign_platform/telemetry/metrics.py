"""The metrics that every process has; a service's own stand beside what they count."""

from prometheus_client import Counter, Gauge, Histogram

# From a cache hit to the longest deadline, in seconds.
_SECONDS = (
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    30.0,
    60.0,
)

RPC_SECONDS = Histogram(
    "countersign_rpc_seconds",
    "Time from the arrival of a call to its end, by its status",
    ["service", "method", "code"],
    buckets=_SECONDS,
)
RPCS_IN_FLIGHT = Gauge(
    "countersign_rpcs_in_flight", "Calls that are being handled now", ["service", "method"]
)
DENIALS_NOT_RECORDED = Counter(
    "countersign_denials_not_recorded_total",
    "Refusals for a missing role that could not be written to the audit trail",
)
