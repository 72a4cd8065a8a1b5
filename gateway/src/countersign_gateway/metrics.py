"""The gateway's own figures."""

from prometheus_client import Gauge, Histogram

# From a replay answered out of a cache to the longest deadline, in seconds.
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

HTTP_SECONDS = Histogram(
    "countersign_http_seconds",
    "Time from the arrival of a request to the end of its response, by route template",
    ["route", "method", "status"],
    buckets=_SECONDS,
)
EVENT_STREAMS = Gauge("countersign_http_event_streams", "Server-sent event streams that are open")
