"""JSON bodies, read exactly: a number keeps every digit that was written.

Refused are what two readers could take for different things: duplicate names, NaN, numbers
beyond every range, NUL characters and lone surrogates, which no database column holds.
"""

import json
import math
import re
from collections.abc import Iterable
from typing import Any, NoReturn, Self

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from countersign_core.errors import FieldError, InvalidRequest

# Of routes that say nothing else.
MAX_BODY_BYTES = 1 << 20

_MAX_PLAIN_INTEGER_DIGITS = 18
_SURROGATE = re.compile("[\ud800-\udfff]")


class WrittenNumber(float):
    """A JSON number as a float that remembers how it was written."""

    text: str

    def __new__(cls, text: str) -> Self:
        """Raises ValueError when no float is near it."""
        number = super().__new__(cls, text)
        if not math.isfinite(number):
            raise ValueError("a number is out of range")
        number.text = text
        return number


async def read_body(receive: Receive, headers: Headers, *, limit: int) -> bytes:
    """The whole body, at most `limit` bytes; empty when there is none.

    Raises:
        HTTPException: 413 too large, 415 not JSON.
        ClientDisconnect: the caller went away.
    """
    announced = headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise _too_large(limit)
    parts: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        part, more = _part(message)
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        parts.append(part)
    body = b"".join(parts)
    if body:
        _require_json(headers)
    return body


def parse_json(body: bytes) -> Any:
    """The value in `body`.

    Raises:
        InvalidRequest: it is no JSON, or none that is safe to pass on.
    """
    try:
        value = json.loads(
            body.decode(),
            parse_float=WrittenNumber,
            parse_int=_integer,
            parse_constant=_refuse_constant,
            object_pairs_hook=_object,
        )
    except UnicodeDecodeError:
        raise malformed("is not UTF-8") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise malformed(f"is not valid JSON: {error.msg} ({where})") from None
    except ValueError as error:
        raise malformed(f"is not valid JSON: {error}") from None
    except RecursionError:
        raise malformed("is nested too deeply") from None
    if rb"\u" in body:
        _refuse_unstorable(value)
    return value


def malformed(what: str) -> InvalidRequest:
    """VALIDATION_FAILED about the body as a whole."""
    return InvalidRequest([FieldError("body", what)])


def _part(message: Message) -> tuple[bytes, bool]:
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    return message.get("body", b""), message.get("more_body", False)


def _too_large(limit: int) -> HTTPException:
    return HTTPException(413, f"This route takes at most {limit} bytes")


def _require_json(headers: Headers) -> None:
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not (
        media_type.startswith("application/") and media_type.endswith("+json")
    ):
        raise HTTPException(415, "Send the body as application/json")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise HTTPException(415, "Send the body without a content encoding")


def _integer(text: str) -> int | WrittenNumber:
    return int(text) if len(text) <= _MAX_PLAIN_INTEGER_DIGITS else WrittenNumber(text)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("an object has the same name twice")
    return value


def _refuse_unstorable(value: Any) -> None:
    """Only escapes can bring such characters in; raw ones are no UTF-8 or no JSON."""
    for text in _texts(value):
        if "\x00" in text or _SURROGATE.search(text):
            raise malformed("has a NUL character or half a surrogate pair in a string")


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from _texts(item)
