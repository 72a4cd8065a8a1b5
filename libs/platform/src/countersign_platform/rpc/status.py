"""Errors on the wire, both ways: the one place that maps a reason to a gRPC status."""

from collections.abc import Iterable, Mapping
from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError
from google.rpc import code_pb2
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, PreconditionFailure, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from countersign_core.errors import (
    CountersignError,
    FieldError,
    Forbidden,
    InvalidRequest,
    NotFound,
    Unavailable,
    VersionMismatch,
    WrongState,
)
from countersign_core.reasons import WIRE_STATUS, Reason

DOMAIN = "countersign"

# Rich details ride in a trailer; beyond the peer's header limit (8 KiB by default) the whole
# error is replaced by RESOURCE_EXHAUSTED. The shares below, in UTF-8 bytes, stay under it: the
# message travels twice more, in the precondition and percent-encoded (up to threefold).
MAX_FIELD_VIOLATIONS = 50
_MAX_VIOLATION_BYTES = 3000
_MAX_METADATA_BYTES = 1200
_MAX_TEXT_BYTES = 400
_OMITTED = "field_errors_omitted"

_CLASS_OF: dict[Reason, type[CountersignError]] = {
    Reason.VALIDATION_FAILED: InvalidRequest,
    Reason.DRAFT_NOT_FOUND: NotFound,
    Reason.LINE_NOT_FOUND: NotFound,
    Reason.EXPORT_NOT_FOUND: NotFound,
    Reason.CONNECTION_NOT_FOUND: NotFound,
    Reason.WRONG_STATE: WrongState,
    Reason.ALREADY_APPROVED: WrongState,
    Reason.EXPORT_EXISTS: WrongState,
    Reason.EXPORT_ALREADY_SUCCEEDED: WrongState,
    Reason.OUTCOME_UNKNOWN: WrongState,
    Reason.EXPORT_WRONG_STATE: WrongState,
    Reason.VERSION_MISMATCH: VersionMismatch,
    Reason.ROLE_REQUIRED: Forbidden,
    Reason.FOUR_EYES_REQUIRED: Forbidden,
    Reason.UNAVAILABLE: Unavailable,
}

# What a status means that came without details: from the transport, or from a proxy.
_REASON_OF_BARE_CODE = {
    grpc.StatusCode.UNAVAILABLE: Reason.UNAVAILABLE,
    grpc.StatusCode.CANCELLED: Reason.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED: Reason.DEADLINE_EXCEEDED,
    grpc.StatusCode.UNAUTHENTICATED: Reason.UNAUTHENTICATED,
    grpc.StatusCode.PERMISSION_DENIED: Reason.ROLE_REQUIRED,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Reason.RATE_LIMITED,
}


def grpc_code_of(reason: Reason) -> grpc.StatusCode:
    """The gRPC status code that goes with a reason."""
    return grpc.StatusCode[WIRE_STATUS[reason].grpc]


def status_of(error: CountersignError) -> Any:
    """The error as a grpc.Status (`code`, `details`, `trailing_metadata`) with its details."""
    code = grpc_code_of(error.reason)
    violations, omitted = _violations(error.field_errors)
    info = ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=_short(error.metadata))
    if omitted:
        info.metadata[_OMITTED] = str(omitted)
    status = Status(code=code_pb2.Code.Value(code.name), message=_cut(error.message))
    _pack(status, info)
    if violations:
        _pack(status, BadRequest(field_violations=violations))
    if code is grpc.StatusCode.FAILED_PRECONDITION:
        _pack(status, _precondition(error))
    if error.retry_after_seconds is not None:
        _pack(status, _retry_info(error.retry_after_seconds))
    return rpc_status.to_status(status)


def error_from_rpc(error: grpc.aio.AioRpcError) -> CountersignError:
    """The error that the server raised; for a bare status, the nearest reason.

    `raise error_from_rpc(error) from error` keeps the transport's own words for the log.
    """
    status, details = _rich_status(error)
    info = details.get(ErrorInfo)
    if (
        status is None
        or info is None
        or info.domain != DOMAIN
        or info.reason not in Reason.__members__
    ):
        return _from_bare_code(error.code())
    return _rebuild(Reason(info.reason), status.message, details)


def _rebuild(reason: Reason, message: str, details: Mapping[type, Any]) -> CountersignError:
    cls = _CLASS_OF.get(reason, CountersignError)
    error = cls.__new__(cls)
    CountersignError.__init__(error, reason, message)
    error.metadata = dict(details[ErrorInfo].metadata)
    if (bad_request := details.get(BadRequest)) is not None:
        error.field_errors = tuple(
            FieldError(item.field, item.description) for item in bad_request.field_violations
        )
    if (retry_info := details.get(RetryInfo)) is not None:
        delay = retry_info.retry_delay
        error.retry_after_seconds = delay.seconds + delay.nanos / 1e9
    return error


def _from_bare_code(code: grpc.StatusCode) -> CountersignError:
    reason = _REASON_OF_BARE_CODE.get(code, Reason.INTERNAL)
    title = WIRE_STATUS[reason].title
    if reason is Reason.UNAVAILABLE:
        return Unavailable(title)
    return _CLASS_OF.get(reason, CountersignError)(reason, title)


def _rich_status(error: grpc.aio.AioRpcError) -> tuple[Status | None, dict[type, Any]]:
    """The status with its details, unless they are garbage or contradict the bare status."""
    try:
        status = rpc_status.from_call(error)
        return status, {} if status is None else _unpack(status)
    except (ValueError, DecodeError):
        return None, {}


def _unpack(status: Status) -> dict[type, Any]:
    """The first detail of each kind that we know."""
    found: dict[type, Any] = {}
    for packed in status.details:
        for kind in (ErrorInfo, BadRequest, PreconditionFailure, RetryInfo):
            if packed.Is(kind.DESCRIPTOR) and kind not in found:
                found[kind] = kind()
                packed.Unpack(found[kind])
    return found


def _violations(errors: Iterable[FieldError]) -> tuple[list[Any], int]:
    """As many violations as travel safely, and how many were left out."""
    kept: list[Any] = []
    size = omitted = 0
    for error in errors:
        violation = BadRequest.FieldViolation(
            field=_cut(error.field), description=_cut(error.description)
        )
        size += violation.ByteSize()
        if len(kept) < MAX_FIELD_VIOLATIONS and size <= _MAX_VIOLATION_BYTES:
            kept.append(violation)
        else:
            omitted += 1
    return kept, omitted


def _precondition(error: CountersignError) -> PreconditionFailure:
    violation = PreconditionFailure.Violation(
        type=error.reason,
        subject=_cut(error.metadata.get("current", "")),
        description=_cut(error.message),
    )
    return PreconditionFailure(violations=[violation])


def _retry_info(seconds: float) -> RetryInfo:
    info = RetryInfo()
    info.retry_delay.FromNanoseconds(int(seconds * 1e9))
    return info


def _short(metadata: Mapping[str, str]) -> dict[str, str]:
    """The facts, each cut and as many as travel safely."""
    kept: dict[str, str] = {}
    size = 0
    for key, value in metadata.items():
        text = _cut(str(value))
        size += len(key) + len(text.encode())
        if size > _MAX_METADATA_BYTES:
            break
        kept[key] = text
    return kept


def _cut(text: str) -> str:
    return text.encode()[:_MAX_TEXT_BYTES].decode(errors="ignore")


def _pack(status: Status, detail: Any) -> None:
    packed = AnyMessage()
    packed.Pack(detail)
    status.details.append(packed)
