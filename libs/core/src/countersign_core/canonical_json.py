"""One spelling per value: the form that digests and chains are computed over.

Keys sorted, no spaces, UTF-8, no floats: a float has no single spelling, so decimals travel
as strings.
"""

import hashlib
import json
from typing import Any

# Made once: json.dumps would make one for every value.
_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode

_NO_FLOATS = "canonical JSON has no floats; use a decimal string"


def canonical_json(value: Any) -> bytes:
    """UTF-8 bytes of `value` (dicts, lists, str, int, bool, None).

    Raises:
        TypeError: a float, or anything JSON does not know, is in it.
    """
    _refuse_floats(value)
    return _encode(value).encode()


def sha256_hex(data: bytes) -> str:
    """SHA-256 of `data`, 64 lower-case hex digits."""
    return hashlib.sha256(data).hexdigest()


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise TypeError(_NO_FLOATS)
    if isinstance(value, dict):
        for item in value.values():
            _refuse_floats(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_floats(item)
