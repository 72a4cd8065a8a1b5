"""Replies on the wire."""

from collections.abc import Mapping
from typing import Any

from pydantic_core import to_json
from starlette.responses import Response

from countersign_gateway.headers import entity_tag


def json_response(
    reply: Any,
    *,
    status: int = 200,
    version: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """`reply` as JSON, with the ETag of `version` where there is one."""
    tag = {} if version is None else {"ETag": entity_tag(version)}
    return Response(to_json(reply), status, {**(headers or {}), **tag}, "application/json")
