"""What lean handlers take from a request: its body and its query, as models.

What is of another shape is refused as FastAPI refuses it, so that nobody can tell who read it.
"""

from functools import cache
from typing import Any, TypeVar, get_origin
from urllib.parse import parse_qsl

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from countersign_gateway.json_body import MAX_BODY_BYTES, parse_json, read_body

M = TypeVar("M", bound=BaseModel)


async def optional_body(request: Request, model: type[M]) -> M:
    """The body as `model`, which has a default for everything.

    Raises:
        RequestValidationError: of another shape.
    """
    body = await read_body(request.receive, request.headers, limit=MAX_BODY_BYTES)
    return _validated(model, parse_json(body), "body") if body else model()


def query(request: Request, model: type[M]) -> M:
    """The query as `model`, which knows all its parameters; of a repeated one the last counts.

    Raises:
        RequestValidationError: of another shape.
    """
    written = request.scope["query_string"].decode("latin-1")
    lists = _lists_of(model)
    values: dict[str, Any] = {}
    for name, value in parse_qsl(written, keep_blank_values=True):
        if name in lists:
            values.setdefault(name, []).append(value)
        else:
            values[name] = value
    return _validated(model, values, "query")


@cache
def _lists_of(model: type[BaseModel]) -> frozenset[str]:
    """Parameters that may repeat."""
    fields = model.model_fields.items()
    return frozenset(name for name, field in fields if get_origin(field.annotation) is list)


def _validated(model: type[M], value: Any, where: str) -> M:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        found = [{**each, "loc": (where, *each["loc"])} for each in error.errors()]
        raise RequestValidationError(found) from None
