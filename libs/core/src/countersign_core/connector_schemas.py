"""What connections of the built-in connectors may be set to: their JSON Schemas (2020-12).

Push checks settings against them before it saves a connection, and a worker announces them.
"""

import json
from functools import cache
from importlib import resources
from typing import Any

BUILT_IN_CONNECTORS = ("DROPZONE_JSON_V1", "HTTP_JSON_V1")

# Headers of HTTP_JSON_V1 that no setting may name, in lower case: ours, and those that decide
# how a request is framed or where it goes.
RESERVED_HEADERS = frozenset(
    {
        *("host", "content-length", "transfer-encoding", "connection", "te", "upgrade", "trailer"),
        *("content-type", "content-encoding", "authorization", "cookie", "expect", "user-agent"),
        *("accept-encoding", "idempotency-key", "x-request-id", "traceparent"),
    }
)
OWN_HEADER_PREFIX = "x-countersign-"


@cache
def connector_schema(connector_type: str) -> dict[str, Any]:
    """The schema of a built-in connector's settings; shared, not to be changed.

    Raises:
        KeyError: it is not a built-in connector.
    """
    if connector_type not in BUILT_IN_CONNECTORS:
        raise KeyError(connector_type)
    file = f"schemas/connectors/{connector_type.lower()}.schema.json"
    text = resources.files("countersign_core").joinpath(file).read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema
