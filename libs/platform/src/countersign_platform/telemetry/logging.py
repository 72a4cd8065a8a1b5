"""Logs: one JSON object per line on stderr, a static event name plus fields.

Ours come from structlog, those of libraries from `logging`; both leave in the same form and
carry the call they belong to.
"""

import json
import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from countersign_platform.rpc.call import find_call
from countersign_platform.settings import ProcessSettings

EventDict = MutableMapping[str, Any]

# These say at INFO what our own events say better.
_CHATTY = ("aiohttp.access", "aiormq", "aio_pika", "alembic", "asyncio", "asyncssh")

# Frames without their local variables: those hold tokens, passwords and customers' data.
_TRACEBACKS = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)


def configure_logging(settings: ProcessSettings, service: str) -> None:
    """Sends every log of this process to stderr, from `log_level` up."""
    level = logging.getLevelNamesMapping()[settings.log_level]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        _add_call,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_service(service),
    ]
    final: list[structlog.typing.Processor] = (
        [_TRACEBACKS, _as_json]
        if settings.log_format == "json"
        else [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    )
    structlog.configure(
        processors=[*shared, *final],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_stderr_logger,
        cache_logger_on_first_use=False,
    )
    _configure_libraries(level, shared, final)


def _configure_libraries(
    level: int,
    shared: list[structlog.typing.Processor],
    final: list[structlog.typing.Processor],
) -> None:
    handler = _StderrHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *final],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


# Both look stderr up when they write: it may be replaced after the configuration.


def _stderr_logger(*_args: Any) -> structlog.WriteLogger:
    return structlog.WriteLogger(sys.stderr)


class _StderrHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
        except Exception:  # noqa: BLE001 — a log line must not end what it tells of
            self.handleError(record)


# Made once: json.dumps with a default makes one for every line.
_encode = json.JSONEncoder(default=str).encode


def _as_json(_logger: Any, _method: str, event: EventDict) -> str:
    return _encode(event)


def _add_call(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Who asked: from the current call, so that binding costs a call nothing."""
    call = find_call()
    if call is not None:
        event.setdefault("request_id", call.request_id)
        event.setdefault("trace_id", call.trace_id)
        if call.identity.org_id is not None:
            event.setdefault("org_id", str(call.identity.org_id))
    return event


def _add_service(service: str) -> structlog.typing.Processor:
    def add_service(_logger: Any, _method: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    return add_service
