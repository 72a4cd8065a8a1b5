"""The OpenAPI document: what FastAPI finds, and what it cannot know."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import TypeAdapter
from pydantic.alias_generators import to_camel
from pydantic.json_schema import models_json_schema

from countersign_gateway.problems import MEDIA_TYPE
from countersign_gateway.replies.problem import ProblemReply
from countersign_gateway.routes.lean_docs import IDEMPOTENCY_KEY, LEAN_BODIES

TITLE = "Countersign"
VERSION = "1.0.0"
DESCRIPTION = """\
The last human checkpoint between a draft order and the ERP.

Refusals are problem details (RFC 9457). Decimals are strings and keep every digit; times are
RFC 3339 in UTC; what is not known is null. Every answer carries `X-Request-Id` and
`traceparent`.
"""

_REFS = "#/components/schemas/{model}"
_PUBLIC = frozenset({"/healthz", "/readyz"})
_BEARER = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
_KEYED = ("/draft-orders/batch-push", "post")
_PATCH_TYPE = "application/merge-patch+json"

# Refusals by status, and the routes' methods that know them; every route knows the first row.
_ANYWHERE = {
    "400": "Malformed; `errors` names every field",
    "401": "No valid token",
    "403": "Not allowed for your role, or a second person is needed",
    "429": "Too many requests; see Retry-After",
    "503": "Temporarily unavailable; see Retry-After",
    "504": "The answer did not come in time",
}
_NOT_FOUND = {"404": "No such thing in this org"}
_CHANGES = {
    "409": "The state does not allow it; see `current` and `allowed`",
    "412": "Changed since the version in If-Match",
}
_BODIES = {"413": "The body is too large", "415": "The body is not JSON"}
_KEYS = {"422": "The Idempotency-Key came before with another request"}
_TESTS = {"424": "The connection test failed or nobody ran it"}


def operation_id(route: APIRoute) -> str:
    """Stable name of an operation, for generated clients: that of its handler."""
    return to_camel(route.name)


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """The whole document."""
    document: dict[str, Any] = get_openapi(
        title=TITLE, version=VERSION, description=DESCRIPTION, routes=app.routes
    )
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas |= _lean_schemas() | _problem_schemas()
    document["components"]["securitySchemes"] = {"bearer": _BEARER}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if path not in _PUBLIC:
                _complete(path, method, operation)
    return document


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    operation["security"] = [{"bearer": []}]
    operation["responses"].pop("422", None)
    for status, description in _refusals(path, method, operation).items():
        operation["responses"].setdefault(status, _problem_response(description))
    operation["responses"] = dict(sorted(operation["responses"].items()))
    if method == "patch":
        content = operation["requestBody"]["content"]
        content[_PATCH_TYPE] = content["application/json"]
    if (path, method) == _KEYED:
        operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)


def _refusals(path: str, method: str, operation: dict[str, Any]) -> dict[str, str]:
    names = {parameter["name"] for parameter in operation.get("parameters", ())}
    known = dict(_ANYWHERE)
    if "{" in path:
        known |= _NOT_FOUND
    if method != "get" or path.endswith("/export-preview"):
        known |= _CHANGES
    if "requestBody" in operation:
        known |= _BODIES
    if "Idempotency-Key" in names or (path, method) == _KEYED:
        known |= _KEYS
    if path.startswith("/erp-connections") and method != "get":
        known |= _TESTS
    return known


def _problem_response(description: str) -> dict[str, Any]:
    schema = {"$ref": _REFS.format(model="ProblemReply")}
    return {"description": description, "content": {MEDIA_TYPE: {"schema": schema}}}


def _lean_schemas() -> dict[str, Any]:
    models = sorted(LEAN_BODIES, key=lambda model: model.__name__)
    _, definitions = models_json_schema(
        [(model, "validation") for model in models], ref_template=_REFS
    )
    found: dict[str, Any] = definitions["$defs"]
    return found


def _problem_schemas() -> dict[str, Any]:
    schema = TypeAdapter(ProblemReply).json_schema(ref_template=_REFS)
    return {**schema.pop("$defs"), "ProblemReply": schema}
