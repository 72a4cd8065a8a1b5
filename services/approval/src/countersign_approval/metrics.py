"""What this service counts, beside the RPC metrics that every service has."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Gauge

from countersign_core.errors import CountersignError

# action: submit, edit, validate, approve, revoke, reject, set_policy. outcome: "done" or the
# reason of the refusal.
DRAFT_ACTIONS = Counter(
    "countersign_draft_actions_total",
    "Acts on draft orders, by action and outcome.",
    ["action", "outcome"],
)

WATCHERS = Gauge("countersign_draft_watchers", "Streams of status changes that are open.")

SWEPT = Counter(
    "countersign_status_changes_swept_total", "Status changes deleted because of their age."
)


@contextmanager
def counted(action: str) -> Iterator[None]:
    """Counts the act in the block as done, or under the reason that it is refused for."""
    try:
        yield
    except CountersignError as error:
        count(action, error)
        raise
    count(action)


def count(action: str, outcome: object = None) -> None:
    """Counts one act; `outcome` is the error when it was refused, and anything else is done."""
    done = outcome.reason if isinstance(outcome, CountersignError) else "done"
    DRAFT_ACTIONS.labels(action, done).inc()
