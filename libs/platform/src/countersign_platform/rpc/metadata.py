"""The metadata that a call arrives with, read in one pass."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import uuid4

AUTHORIZATION = "authorization"
REQUEST_ID = "x-request-id"
TRACEPARENT = "traceparent"
IDEMPOTENCY_KEY = "idempotency-key"
CLIENT_IP = "x-forwarded-for-client"
CLIENT_USER_AGENT = "x-client-user-agent"
# What gRPC itself sends; stands for the end user's where nobody sent that along.
_DIRECT_USER_AGENT = "user-agent"

_READ = frozenset(
    {AUTHORIZATION, REQUEST_ID, TRACEPARENT, CLIENT_IP, CLIENT_USER_AGENT, _DIRECT_USER_AGENT}
)
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
    idempotency_keys: tuple[str, ...] = ()

    def bearer_token(self) -> str:
        """The token; empty when there is none."""
        scheme, _, token = self.authorization.partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""


def read_metadata(pairs: Iterable[tuple[str, str | bytes]] | None) -> CallMetadata:
    """Reads the pairs; a missing or unfit request id is replaced by a new one."""
    values: dict[str, str] = {}
    keys: list[str] = []
    for key, value in pairs or ():
        if key == IDEMPOTENCY_KEY and isinstance(value, str):
            keys.append(value)
        elif key in _READ and isinstance(value, str):
            values[key] = value
    request_id = values.get(REQUEST_ID, "")
    agent = values.get(CLIENT_USER_AGENT) or values.get(_DIRECT_USER_AGENT, "")
    return CallMetadata(
        authorization=values.get(AUTHORIZATION, ""),
        request_id=request_id if _VISIBLE_ASCII.fullmatch(request_id) else uuid4().hex,
        traceparent=values.get(TRACEPARENT),
        ip=values.get(CLIENT_IP, "")[:_MAX_IP],
        user_agent=agent[:_MAX_USER_AGENT],
        idempotency_keys=tuple(keys),
    )
