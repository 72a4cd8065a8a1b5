"""What a client does, and what it is told."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID


class Action(StrEnum):
    """What clients ask for."""

    SUBMIT = "submit"
    EDIT = "edit"
    APPROVE = "approve"
    REVOKE = "revoke"
    REJECT = "reject"
    PUSH = "push"
    RETRY = "retry"
    CANCEL = "cancel"
    EXPEDITE = "expedite"
    RESOLVE = "resolve"


class Verdict(StrEnum):
    """What an answer means for whoever asked."""

    YES = "yes"
    NO = "no"
    # No answer, or one that leaves open whether anything happened.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Act:
    """One request. `body` is what REST sends; gRPC makes its message from the same."""

    action: Action
    org: UUID
    actor: str
    request_id: str
    draft_id: str = ""
    export_id: str = ""
    key: str | None = None
    version: int | None = None
    body: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. `reason` is the problem's code; `export_id` also that of a refusal."""

    verdict: Verdict
    reason: str = ""
    draft_id: str = ""
    export_id: str = ""
    version: int | None = None
    status: str = ""
    content_sha256: str = ""
    replayed: bool = False
    created: bool = True


# Definite refusals: nothing happened. Everything else leaves it open.
REFUSALS = frozenset({400, 401, 403, 404, 409, 412, 422})
