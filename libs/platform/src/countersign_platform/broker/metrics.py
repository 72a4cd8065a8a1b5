"""What can be seen of this process's side of the broker."""

from prometheus_client import Counter, Gauge

CONNECTED = Gauge("countersign_broker_connected", "Whether the connection is open.", ["connection"])
# outcome: acked, dead_lettered, or given_back when the worker stopped first.
MESSAGES = Counter("countersign_broker_messages_total", "Messages that ended here.", ["outcome"])
STUCK = Counter(
    "countersign_broker_stuck_total",
    "Times that messages waited and none came, so that the connection was made anew.",
)
