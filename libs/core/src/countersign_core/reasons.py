"""Why a call is refused: the closed list, and the status that goes with each reason.

The names equal countersign.errors.v1.ErrorReason without its prefix; a contract test holds
that. `grpc` is the name of the gRPC status code, `http` the status over REST.
"""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """One reason; what each means and carries stands in errors.proto."""

    VALIDATION_FAILED = "VALIDATION_FAILED"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    ROLE_REQUIRED = "ROLE_REQUIRED"
    FOUR_EYES_REQUIRED = "FOUR_EYES_REQUIRED"
    DRAFT_NOT_FOUND = "DRAFT_NOT_FOUND"
    LINE_NOT_FOUND = "LINE_NOT_FOUND"
    EXPORT_NOT_FOUND = "EXPORT_NOT_FOUND"
    CONNECTION_NOT_FOUND = "CONNECTION_NOT_FOUND"
    WRONG_STATE = "WRONG_STATE"
    ALREADY_APPROVED = "ALREADY_APPROVED"
    EXPORT_EXISTS = "EXPORT_EXISTS"
    EXPORT_ALREADY_SUCCEEDED = "EXPORT_ALREADY_SUCCEEDED"
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
    CONTENT_DIGEST_MISMATCH = "CONTENT_DIGEST_MISMATCH"
    VERSION_MISMATCH = "VERSION_MISMATCH"
    NO_ACTIVE_CONNECTION = "NO_ACTIVE_CONNECTION"
    CONNECTION_AMBIGUOUS = "CONNECTION_AMBIGUOUS"
    CONNECTION_ALREADY_ACTIVE = "CONNECTION_ALREADY_ACTIVE"
    CONNECTION_TEST_FAILED = "CONNECTION_TEST_FAILED"
    CONNECTION_TEST_TIMEOUT = "CONNECTION_TEST_TIMEOUT"
    IDEMPOTENCY_KEY_INVALID = "IDEMPOTENCY_KEY_INVALID"
    IDEMPOTENCY_KEY_REUSED = "IDEMPOTENCY_KEY_REUSED"
    PAGE_TOKEN_INVALID = "PAGE_TOKEN_INVALID"  # noqa: S105 — a reason's name, not a secret
    LEASE_LOST = "LEASE_LOST"
    RATE_LIMITED = "RATE_LIMITED"
    UNAVAILABLE = "UNAVAILABLE"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    INTERNAL = "INTERNAL"
    EXPORT_WRONG_STATE = "EXPORT_WRONG_STATE"
    CONNECTION_WRONG_STATE = "CONNECTION_WRONG_STATE"
    AUDIT_BEHIND = "AUDIT_BEHIND"
    ARCHIVE_DAMAGED = "ARCHIVE_DAMAGED"


@dataclass(frozen=True, slots=True)
class WireStatus:
    """How a reason travels."""

    grpc: str
    http: int
    title: str


WIRE_STATUS: dict[Reason, WireStatus] = {
    Reason.VALIDATION_FAILED: WireStatus("INVALID_ARGUMENT", 400, "The request is not valid"),
    Reason.UNAUTHENTICATED: WireStatus("UNAUTHENTICATED", 401, "No valid token"),
    Reason.ROLE_REQUIRED: WireStatus("PERMISSION_DENIED", 403, "Not allowed for your role"),
    Reason.FOUR_EYES_REQUIRED: WireStatus("PERMISSION_DENIED", 403, "A second person is needed"),
    Reason.DRAFT_NOT_FOUND: WireStatus("NOT_FOUND", 404, "No such draft order"),
    Reason.LINE_NOT_FOUND: WireStatus("NOT_FOUND", 404, "No such line"),
    Reason.EXPORT_NOT_FOUND: WireStatus("NOT_FOUND", 404, "No such export"),
    Reason.CONNECTION_NOT_FOUND: WireStatus("NOT_FOUND", 404, "No such ERP connection"),
    Reason.WRONG_STATE: WireStatus("FAILED_PRECONDITION", 409, "Wrong state"),
    Reason.ALREADY_APPROVED: WireStatus("FAILED_PRECONDITION", 409, "Already approved"),
    Reason.EXPORT_EXISTS: WireStatus("FAILED_PRECONDITION", 409, "An export exists"),
    Reason.EXPORT_ALREADY_SUCCEEDED: WireStatus("FAILED_PRECONDITION", 409, "Already succeeded"),
    Reason.OUTCOME_UNKNOWN: WireStatus("FAILED_PRECONDITION", 409, "Outcome not known yet"),
    Reason.CONTENT_DIGEST_MISMATCH: WireStatus("FAILED_PRECONDITION", 409, "Content changed"),
    Reason.VERSION_MISMATCH: WireStatus("ABORTED", 412, "The draft order changed"),
    Reason.NO_ACTIVE_CONNECTION: WireStatus("INVALID_ARGUMENT", 400, "No active ERP connection"),
    Reason.CONNECTION_AMBIGUOUS: WireStatus("INVALID_ARGUMENT", 400, "Name the ERP connection"),
    Reason.CONNECTION_ALREADY_ACTIVE: WireStatus("ALREADY_EXISTS", 409, "Already active"),
    Reason.CONNECTION_TEST_FAILED: WireStatus("FAILED_PRECONDITION", 424, "The test failed"),
    Reason.CONNECTION_TEST_TIMEOUT: WireStatus("FAILED_PRECONDITION", 424, "No test result"),
    Reason.IDEMPOTENCY_KEY_INVALID: WireStatus("INVALID_ARGUMENT", 400, "Malformed key"),
    Reason.IDEMPOTENCY_KEY_REUSED: WireStatus("INVALID_ARGUMENT", 422, "Key used before"),
    Reason.PAGE_TOKEN_INVALID: WireStatus("INVALID_ARGUMENT", 400, "Malformed page token"),
    Reason.LEASE_LOST: WireStatus("ABORTED", 412, "The lease is lost"),
    Reason.RATE_LIMITED: WireStatus("RESOURCE_EXHAUSTED", 429, "Too many requests"),
    Reason.UNAVAILABLE: WireStatus("UNAVAILABLE", 503, "Temporarily unavailable"),
    Reason.DEADLINE_EXCEEDED: WireStatus("DEADLINE_EXCEEDED", 504, "Took too long"),
    Reason.INTERNAL: WireStatus("INTERNAL", 500, "Internal error"),
    Reason.EXPORT_WRONG_STATE: WireStatus("FAILED_PRECONDITION", 409, "Wrong state"),
    Reason.CONNECTION_WRONG_STATE: WireStatus("FAILED_PRECONDITION", 409, "Wrong state"),
    Reason.AUDIT_BEHIND: WireStatus("UNAVAILABLE", 503, "The audit trail lags behind"),
    Reason.ARCHIVE_DAMAGED: WireStatus("DATA_LOSS", 500, "The archive is damaged"),
}
