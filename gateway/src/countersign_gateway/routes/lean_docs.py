"""What lean routes take, for the OpenAPI document: FastAPI cannot read it off their handlers."""

from typing import Any

from pydantic import BaseModel

_DRAFT_ID = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "The draft order.",
    "schema": {"type": "string", "format": "uuid"},
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": '`"<version>"`: the version you saw (the ETag of an earlier answer).',
    "schema": {"type": "string", "examples": ['"3"']},
}
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "1 to 255 visible ASCII characters, bare or quoted; honoured for 24 hours.",
    "schema": {"type": "string", "examples": ["8e03978e-40d5-43e8-bc93-6894a57f9324"]},
}

# Models that only lean routes name; the OpenAPI document has to be told of them.
LEAN_BODIES: set[type[BaseModel]] = set()


def lean_docs(body: type[BaseModel], *, keyed: bool = False) -> dict[str, Any]:
    """Parameters and optional body of a lean route under /draft-orders/{id}."""
    LEAN_BODIES.add(body)
    schema = {"$ref": f"#/components/schemas/{body.__name__}"}
    return {
        "parameters": [_DRAFT_ID, _IF_MATCH, *([IDEMPOTENCY_KEY] if keyed else [])],
        "requestBody": {"required": False, "content": {"application/json": {"schema": schema}}},
    }
