"""Idempotency keys: what a caller may send, and what makes two requests the same.

A key is scoped to (org, draft, operation). It arrives as the metadata `idempotency-key`, bare
or as a quoted structured-field string (RFC 8941); both spellings name the same key.
"""

import hashlib
import re
from collections.abc import Sequence

from countersign_core.canonical_json import canonical_json
from countersign_core.errors import FieldError, InvalidRequest
from countersign_core.reasons import Reason
from countersign_push.push_intent import Operation, PushIntent

HEADER = "idempotency-key"

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_QUOTED = re.compile(r'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')
_ESCAPED = re.compile(r'\\(["\\])')


def parse_key(values: Sequence[str]) -> str | None:
    """The key among the header's values; None when the caller sent none.

    Raises:
        InvalidRequest: IDEMPOTENCY_KEY_INVALID; several values, or not a key.
    """
    if not values:
        return None
    if len(values) > 1:
        raise _invalid(f"was sent {len(values)} times; send one")
    key = _unquoted(values[0])
    if key is None or not _KEY.fullmatch(key):
        raise _invalid("must be 1 to 255 visible ASCII characters, bare or as a quoted string")
    return key


def fingerprint(operation: Operation, intent: PushIntent) -> bytes:
    """SHA-256 of what the caller asked for, never of live data, 32 bytes.

    `expected_version` counts: who expects another version asks for something else.
    """
    asked = {
        "operation": operation.value,
        "draft_order_id": str(intent.draft_id),
        "expected_version": intent.expected_version,
        "erp_connection_id": intent.connection_id and str(intent.connection_id),
        "reason": intent.reason,
    }
    return hashlib.sha256(canonical_json(asked)).digest()


def _unquoted(value: str) -> str | None:
    if not value.startswith('"'):
        return value
    quoted = _QUOTED.fullmatch(value)
    return quoted and _ESCAPED.sub(r"\1", quoted[1])


def _invalid(description: str) -> InvalidRequest:
    return InvalidRequest([FieldError(HEADER, description)], Reason.IDEMPOTENCY_KEY_INVALID)
