"""Exceptions become problem documents: the handlers that the app is built with."""

from collections.abc import Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from countersign_core.errors import CountersignError, FieldError, InvalidRequest
from countersign_core.reasons import Reason
from countersign_gateway import problems
from countersign_gateway.exchange import exchange_of

# pydantic speaks of inputs and extras; callers think of fields.
_PLAIN_WORDS = {
    "extra_forbidden": "is not a field of this request",
    "missing": "is required",
}
_DETAILS = {
    404: "There is no such path",
    405: "The path does not take this method",
}


async def refuse(request: Request, error: Exception) -> Response:
    """A refusal with a reason."""
    assert isinstance(error, CountersignError)
    return respond(request.scope, error)


async def refuse_shape(request: Request, error: Exception) -> Response:
    """A path, query or body that is not of the declared shape; names every such field."""
    assert isinstance(error, RequestValidationError)
    found = [FieldError(field_path(each["loc"]), _what(each)) for each in error.errors()]
    return respond(request.scope, InvalidRequest(found))


async def refuse_http(request: Request, error: Exception) -> Response:
    """What the router or the body reader refused."""
    assert isinstance(error, HTTPException)
    refusal = problems.REFUSALS.get(error.status_code)
    if refusal is None:
        return respond(request.scope, CountersignError(Reason.INTERNAL, str(error.detail)))
    exchange = exchange_of(request.scope)
    document = problems.problem_of_refusal(
        refusal,
        _DETAILS.get(error.status_code, str(error.detail)),
        instance=exchange.path,
        request_id=exchange.request_id,
    )
    return problems.problem_response(document, headers=error.headers)


def respond(scope: Any, error: CountersignError) -> Response:
    """The response to an error, for the exchange in `scope`."""
    exchange = exchange_of(scope)
    document = problems.problem_of(error, instance=exchange.path, request_id=exchange.request_id)
    return problems.problem_response(document, headers=problems.headers_of(error))


def field_path(location: Sequence[str | int]) -> str:
    """`("body", "lines", 0, "qty")` as `lines[0].qty`; the body itself as `body`."""
    path = ""
    for step in location[1:]:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
    return path or str(location[0])


def _what(found: dict[str, Any]) -> str:
    plain = _PLAIN_WORDS.get(found["type"])
    return plain or str(found["msg"]).removeprefix("Value error, ")


HANDLERS: dict[Any, Any] = {
    CountersignError: refuse,
    RequestValidationError: refuse_shape,
    HTTPException: refuse_http,
}
