"""Problem details (RFC 9457): one form for every refusal, whoever refused.

`code` is the reason from countersign_core.reasons, or one of the gateway's own below. The
facts behind a reason (`current`, `allowed`, `erp_export_id`, …) are extension members.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json
from starlette.responses import Response

from countersign_core.errors import CountersignError, FieldError, InvalidRequest
from countersign_core.reasons import WIRE_STATUS, Reason

MEDIA_TYPE = "application/problem+json"
_TYPE_PREFIX = "urn:countersign:problem:"

_LISTS = frozenset({"allowed", "allowed_roles"})
_NUMBERS = frozenset(
    {
        *("expected_version", "current_version", "field_errors_omitted"),
        *("lag_seconds", "allowed_seconds"),
    }
)

# What these say in a service's or transport's own words is for our logs, not for callers.
_FIXED_SENTENCES = {
    Reason.INTERNAL: "Something went wrong here; the request id finds it in the logs",
    Reason.UNAVAILABLE: "A service behind this one does not answer; try again shortly",
    Reason.DEADLINE_EXCEEDED: "The answer did not come in time; it may still take effect",
}

_DEFAULT_RETRY_SECONDS = 1.0
_RETRY_LATER = frozenset({429, 503})

# Names in the contracts → names over REST.
_PREFIXES = ("content.", "line.")
_RENAMED = {"config_json": "config", "statuses": "status", "actions": "action"}
_FIRST_NAME = re.compile(r"[a-z_]+")


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the gateway refuses by itself, before any service is asked."""

    code: str
    status: int
    title: str


NOT_FOUND = Refusal("NOT_FOUND", 404, "Nothing here")
METHOD_NOT_ALLOWED = Refusal("METHOD_NOT_ALLOWED", 405, "Method not allowed")
BODY_TOO_LARGE = Refusal("BODY_TOO_LARGE", 413, "The body is too large")
UNSUPPORTED_MEDIA_TYPE = Refusal("UNSUPPORTED_MEDIA_TYPE", 415, "Send JSON")

REFUSALS = {
    refusal.status: refusal
    for refusal in (NOT_FOUND, METHOD_NOT_ALLOWED, BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE)
}


def problem_of(error: CountersignError, *, instance: str, request_id: str) -> dict[str, Any]:
    """The problem document of an error that a service or the gateway raised."""
    wire = WIRE_STATUS[error.reason]
    errors = [FieldError(rest_name(e.field), e.description) for e in error.field_errors]
    refusal = Refusal(error.reason.value, wire.http, wire.title)
    detail = _FIXED_SENTENCES.get(error.reason) or _detail(error, errors)
    document = _document(refusal, detail, instance=instance, request_id=request_id, errors=errors)
    return _extensions(error.metadata) | document


def problem_of_refusal(
    refusal: Refusal, detail: str, *, instance: str, request_id: str
) -> dict[str, Any]:
    """The problem document of what only the gateway refuses."""
    return _document(refusal, detail, instance=instance, request_id=request_id, errors=())


def problem_response(
    document: Mapping[str, Any], *, headers: Mapping[str, str] | None = None
) -> Response:
    """The document with its status."""
    return Response(
        to_json(document), status_code=document["status"], headers=headers, media_type=MEDIA_TYPE
    )


def headers_of(error: CountersignError) -> dict[str, str]:
    """Retry-After and WWW-Authenticate, where the status calls for them."""
    status = WIRE_STATUS[error.reason].http
    if status in _RETRY_LATER:
        seconds = error.retry_after_seconds or _DEFAULT_RETRY_SECONDS
        return {"Retry-After": str(max(1, math.ceil(seconds)))}
    if error.reason is Reason.UNAUTHENTICATED:
        return {"WWW-Authenticate": 'Bearer realm="countersign"'}
    return {}


def type_of(code: str) -> str:
    """The problem type: a name, not an address."""
    return _TYPE_PREFIX + code.lower().replace("_", "-")


def rest_name(field: str) -> str:
    """The path of a field in a request message as the REST caller wrote it."""
    for prefix in _PREFIXES:
        field = field.removeprefix(prefix)
    return _FIRST_NAME.sub(lambda name: _RENAMED.get(name[0], name[0]), field, count=1)


def _detail(error: CountersignError, errors: list[FieldError]) -> str:
    if error.reason is Reason.VALIDATION_FAILED and errors:
        return InvalidRequest(errors).message
    return error.message


def _document(
    refusal: Refusal, detail: str, *, instance: str, request_id: str, errors: Iterable[FieldError]
) -> dict[str, Any]:
    return {
        "type": type_of(refusal.code),
        "title": refusal.title,
        "status": refusal.status,
        "detail": detail,
        "instance": instance,
        "code": refusal.code,
        "request_id": request_id,
        "errors": [{"field": each.field, "detail": each.description} for each in errors],
    }


def _extensions(metadata: Mapping[str, str]) -> dict[str, Any]:
    return {name: _fact(name, value) for name, value in metadata.items()}


def _fact(name: str, value: str) -> str | int | list[str]:
    if name in _LISTS:
        return [part for part in value.split(",") if part]
    if name in _NUMBERS and value.isdecimal():
        return int(value)
    return value
