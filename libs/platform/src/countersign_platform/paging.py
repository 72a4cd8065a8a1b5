"""Page tokens: where the page before ended, bound to the filters that it was asked with.

A token is no secret and no grant: it says where to go on within what its bearer may read
anyway. The digest catches tokens of other filters and tokens that were changed by accident.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any

from countersign_core.canonical_json import canonical_json, sha256_hex
from countersign_core.errors import CountersignError
from countersign_core.reasons import Reason

_DIGEST_DIGITS = 16


def encode_page_token(filters: Any, position: Sequence[str]) -> str:
    """A token for the page after `position` (the sort key of the last row, as strings).

    `filters` is anything canonical JSON knows; it must hold all that changes the order or the
    choice of rows, but not the page size.
    """
    body = {"p": list(position), "d": _digest(filters, list(position))}
    return base64.urlsafe_b64encode(canonical_json(body)).rstrip(b"=").decode()


def decode_page_token(token: str, filters: Any) -> tuple[str, ...] | None:
    """The position in `token`; None for the empty token, which asks for the first page.

    Raises:
        CountersignError: PAGE_TOKEN_INVALID; malformed, or given out for other filters.
    """
    if not token:
        return None
    body = _parse(token)
    position = body.get("p") if isinstance(body, dict) else None
    if not isinstance(position, list) or not all(isinstance(part, str) for part in position):
        raise page_token_invalid()
    if body.get("d") != _digest(filters, position):
        raise page_token_invalid()
    return tuple(position)


def page_token_invalid() -> CountersignError:
    """For whoever finds that a position cannot be one of its own."""
    return CountersignError(
        Reason.PAGE_TOKEN_INVALID, "The page token is not one that was given out for these filters"
    )


def _parse(token: str) -> Any:
    try:
        padded = token + "=" * (-len(token) % 4)
        return json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError) as error:
        raise page_token_invalid() from error


def _digest(filters: Any, position: list[str]) -> str:
    return sha256_hex(canonical_json([filters, position]))[:_DIGEST_DIGITS]
