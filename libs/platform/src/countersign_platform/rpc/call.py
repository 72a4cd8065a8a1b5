"""The call that is being handled: who asks, and how to trace it."""

import time
from contextvars import ContextVar, Token
from dataclasses import dataclass
from uuid import UUID

from countersign_core.errors import Forbidden
from countersign_core.reasons import Reason
from countersign_platform.auth.identity import Identity


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated call.

    `method` is the full name ("/countersign.push.v1.PushService/PushDraft"). `ip` and
    `user_agent` are the end user's where the gateway sent them along. `deadline` is on the
    monotonic clock; None means that the caller set none.
    """

    method: str
    identity: Identity
    request_id: str
    trace_id: str
    traceparent: str
    ip: str = ""
    user_agent: str = ""
    idempotency_keys: tuple[str, ...] = ()
    deadline: float | None = None

    @property
    def org_id(self) -> UUID:
        """The tenant.

        Raises:
            Forbidden: ROLE_REQUIRED; a service token carries no org.
        """
        if self.identity.org_id is None:
            raise Forbidden(Reason.ROLE_REQUIRED, "This call needs the token of a user")
        return self.identity.org_id

    def remaining_seconds(self) -> float | None:
        """What is left of the caller's deadline; zero or less when it is over."""
        return None if self.deadline is None else self.deadline - time.monotonic()


_current: ContextVar[Call] = ContextVar("countersign_call")


def current_call() -> Call:
    """The call that this task handles.

    A task started inside a handler inherits the call, deadline included; start background
    work elsewhere.

    Raises:
        LookupError: nothing is being handled.
    """
    return _current.get()


def find_call() -> Call | None:
    """As current_call; None when nothing is being handled."""
    return _current.get(None)


def enter_call(call: Call) -> Token[Call]:
    """Makes `call` the current one of this task; for the server and for tests of commands."""
    return _current.set(call)


def leave_call(token: Token[Call]) -> None:
    """Undoes enter_call."""
    _current.reset(token)
