"""What a delivery carries along: its trace, and the ids that every log line and call bears."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import structlog

from countersign_export_worker.assignment import Assignment
from countersign_platform.telemetry.traceparent import accept_traceparent, trace_id_of
from countersign_platform.telemetry.tracing import start_span_from

_request_id: ContextVar[str] = ContextVar("countersign_worker_request_id", default="")
_traceparent: ContextVar[str] = ContextVar("countersign_worker_traceparent", default="")


def current_request_id() -> str:
    """X-Request-Id of the push that is being delivered; "" outside a delivery."""
    return _request_id.get()


def current_traceparent() -> str:
    """W3C trace context of the push that is being delivered; "" outside a delivery."""
    return _traceparent.get()


@contextmanager
def delivery_context(assignment: Assignment) -> Iterator[None]:
    """Go on with the push's trace and request id, in spans, logs and calls."""
    traceparent = accept_traceparent(assignment.traceparent or None)
    token = _request_id.set(assignment.request_id)
    trace_token = _traceparent.set(traceparent)
    try:
        with (
            structlog.contextvars.bound_contextvars(
                request_id=assignment.request_id,
                trace_id=trace_id_of(traceparent),
                org_id=str(assignment.lease.org_id),
                export_id=str(assignment.lease.export_id),
                attempt=assignment.attempt,
            ),
            start_span_from(traceparent, "deliver export"),
        ):
            yield
    finally:
        _traceparent.reset(trace_token)
        _request_id.reset(token)
