"""One root error: a reason, a sentence for a person, and the facts behind it.

    CountersignError
    ├── InvalidRequest      what the caller sent is malformed (field errors)
    ├── NotFound            draft, line, export or connection of another tenant or of nobody
    ├── WrongState          carries the current and the allowed states
    ├── VersionMismatch     the draft changed since the caller saw it
    ├── Forbidden           role or approval policy
    └── Unavailable         a server behind this one is away; says when to come back

Use cases raise these and know nothing of gRPC; countersign_platform.rpc maps them once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from countersign_core.reasons import Reason

# Field errors that stand in the message itself; all of them are in field_errors.
_NAMED = 3


@dataclass(frozen=True, slots=True)
class FieldError:
    """One malformed field: its path in the request and what is wrong with it."""

    field: str
    description: str


class CountersignError(Exception):
    """A refusal with a reason from the closed list."""

    def __init__(self, reason: Reason, message: str, **metadata: str) -> None:
        """`message` is for a person; `metadata` are the facts as strings."""
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.metadata: Mapping[str, str] = metadata
        self.field_errors: tuple[FieldError, ...] = ()
        self.retry_after_seconds: float | None = None


class InvalidRequest(CountersignError):
    """The request is malformed; every malformed field is listed."""

    def __init__(
        self, field_errors: Iterable[FieldError], reason: Reason = Reason.VALIDATION_FAILED
    ) -> None:
        errors = tuple(field_errors)
        named = "; ".join(f"{error.field}: {error.description}" for error in errors[:_NAMED])
        more = f" (and {len(errors) - _NAMED} more)" if len(errors) > _NAMED else ""
        super().__init__(reason, named + more)
        self.field_errors = errors


class NotFound(CountersignError):
    """What the caller named does not exist in this org."""


class WrongState(CountersignError):
    """The entity's state does not allow the call."""

    def __init__(
        self, reason: Reason, message: str, *, current: str, allowed: Iterable[str], **metadata: str
    ) -> None:
        states = ",".join(sorted(allowed))
        super().__init__(reason, message, current=current, allowed=states, **metadata)


class VersionMismatch(CountersignError):
    """The draft (or connection) changed since the caller saw it."""

    def __init__(self, *, expected: int, current: int) -> None:
        super().__init__(
            Reason.VERSION_MISMATCH,
            f"Changed since version {expected} (current: {current})",
            expected_version=str(expected),
            current_version=str(current),
        )


class Forbidden(CountersignError):
    """The caller may not do this."""


class Unavailable(CountersignError):
    """A server behind this one is away."""

    def __init__(self, message: str, *, retry_after_seconds: float = 1.0) -> None:
        super().__init__(Reason.UNAVAILABLE, message)
        self.retry_after_seconds = retry_after_seconds
