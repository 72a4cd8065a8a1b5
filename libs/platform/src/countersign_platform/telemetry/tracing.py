"""Traces: exported over OTLP where an endpoint is set, and carried along everywhere.

Without an endpoint no span is made; the incoming `traceparent` is passed on as it came, which
costs one context variable.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import grpc.aio
from opentelemetry import trace
from opentelemetry.instrumentation.grpc import aio_client_interceptors, aio_server_interceptor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from countersign_platform.settings import ProcessSettings
from countersign_platform.telemetry.traceparent import accept_traceparent

_PROPAGATOR = TraceContextTextMapPropagator()
_carried: ContextVar[str | None] = ContextVar("countersign_traceparent", default=None)
_provider: TracerProvider | None = None


def configure_tracing(
    settings: ProcessSettings, service: str, *, processor: SpanProcessor | None = None
) -> Callable[[], None]:
    """Starts exporting spans when an endpoint (or, in tests, a processor) is given.

    Call it before servers start and channels open: they take the span layer along then.
    Returns what to call at the end of the process: it sends the last spans.
    """
    global _provider  # noqa: PLW0603 — one per process, as OpenTelemetry has it
    if processor is None and settings.otlp_endpoint is not None:
        processor = BatchSpanProcessor(_exporter(settings.otlp_endpoint))
    if processor is None:
        _provider = None
        return lambda: None
    provider = TracerProvider(
        resource=Resource.create({"service.name": service}), shutdown_on_exit=False
    )
    provider.add_span_processor(processor)
    _provider = provider
    return lambda: _stop(provider)


def server_interceptors() -> Sequence[grpc.aio.ServerInterceptor]:
    """What a server adds to record a span per call; nothing when traces are not exported."""
    if _provider is None:
        return []
    interceptor: grpc.aio.ServerInterceptor = aio_server_interceptor(  # type: ignore[no-untyped-call] # no types there
        tracer_provider=_provider, filter_=_is_ours
    )
    return [interceptor]


def client_interceptors() -> Sequence[grpc.aio.ClientInterceptor]:
    """What a channel adds to record a span per call and to send its `traceparent`."""
    if _provider is None:
        return []
    return list(aio_client_interceptors(tracer_provider=_provider))  # type: ignore[no-untyped-call] # the library has no types here


def carry_traceparent(value: str | None) -> str:
    """Makes `value` (or a new trace) the current one of this task; answers what is current."""
    if (header := _header_of_span()) is not None:
        return header
    traceparent = accept_traceparent(value)
    _carried.set(traceparent)
    return traceparent


def current_traceparent() -> str | None:
    """The header to send along with whatever is done now; None outside any trace."""
    return _header_of_span() or _carried.get()


@contextmanager
def start_span_from(traceparent: str | None, name: str) -> Iterator[None]:
    """Work that goes on with the trace of a stored header: a relayed row, a claimed export."""
    token = _carried.set(accept_traceparent(traceparent))
    try:
        if _provider is None:
            yield
        else:
            parent = _PROPAGATOR.extract({"traceparent": _carried.get() or ""})
            with _provider.get_tracer(__name__).start_as_current_span(name, context=parent):
                yield
    finally:
        _carried.reset(token)


def record_failure(error: BaseException) -> None:
    """Puts an unexpected error on the current span, once."""
    span = trace.get_current_span()
    if span.is_recording():
        span.record_exception(error)


def _is_ours(details: grpc.HandlerCallDetails) -> bool:
    """Probes of health and reflection would only fill the trace store."""
    return not str(details.method).startswith("/grpc.")


def _header_of_span() -> str | None:
    if _provider is None:  # nobody makes spans, so there is none to ask
        return None
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def _exporter(endpoint: str) -> SpanExporter:
    # Loaded where it is used: a fifth of a second of start-up that most processes save.
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import (  # noqa: PLC0415
        OTLPSpanExporter,
    )

    return OTLPSpanExporter(endpoint=endpoint, insecure=endpoint.startswith("http://"))


def _stop(provider: TracerProvider) -> None:
    global _provider  # noqa: PLW0603 — see configure_tracing
    provider.shutdown()
    if _provider is provider:
        _provider = None
