"""Replies on the wire."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import to_json
from starlette.responses import Response

from countersign_gateway.headers import entity_tag


def json_response(
    reply: Any,
    *,
    status: int = 200,
    version: int | None = None,
    headers: Mapping[str, str] | None = None,
    shape: TypeAdapter[Any] | None = None,
) -> Response:
    """`reply` as JSON, with the ETag of `version` where there is one.

    `shape` is for replies with many rows: nothing has to find out what each value is.
    """
    tag = {} if version is None else {"ETag": entity_tag(version)}
    written = to_json(reply) if shape is None else shape.dump_json(reply)
    return Response(written, status, {**(headers or {}), **tag}, "application/json")
