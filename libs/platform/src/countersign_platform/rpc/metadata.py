"""The metadata that a call arrives with, read in one pass."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import uuid4

AUTHORIZATION = "authorization"
REQUEST_ID = "x-request-id"
TRACEPARENT = "traceparent"
IDEMPOTENCY_KEY = "idempotency-key"
CLIENT_IP = "x-forwarded-for-client"
CLIENT_USER_AGENT = "x-client-user-agent"

_VISIBLE_ASCII = re.compile(r"[!-~]{1,200}")
_MAX_IP = 64
_MAX_USER_AGENT = 500


@dataclass(slots=True)
class CallMetadata:
    """What of the metadata means something here; everything else is ignored."""

    authorization: str = ""
    request_id: str = ""
    traceparent: str | None = None
    ip: str = ""
    user_agent: str = ""
    idempotency_keys: list[str] = field(default_factory=list)

    def bearer_token(self) -> str:
        """The token; empty when there is none."""
        scheme, _, token = self.authorization.partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""


def read_metadata(pairs: Iterable[tuple[str, str | bytes]] | None) -> CallMetadata:
    """Reads the pairs; a missing or unfit request id is replaced by a new one."""
    found = CallMetadata()
    for key, value in pairs or ():
        if not isinstance(value, str):
            continue
        if key == AUTHORIZATION:
            found.authorization = value
        elif key == REQUEST_ID:
            found.request_id = value
        elif key == TRACEPARENT:
            found.traceparent = value
        elif key == IDEMPOTENCY_KEY:
            found.idempotency_keys.append(value)
        elif key == CLIENT_IP:
            found.ip = value[:_MAX_IP]
        elif key == CLIENT_USER_AGENT:
            found.user_agent = value[:_MAX_USER_AGENT]
    if not _VISIBLE_ASCII.fullmatch(found.request_id):
        found.request_id = uuid4().hex
    return found
