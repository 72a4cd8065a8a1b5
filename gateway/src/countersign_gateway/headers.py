"""Request headers with a meaning of their own, read strictly."""

import re
from collections.abc import Sequence
from uuid import uuid4

from countersign_core.errors import CountersignError, FieldError, InvalidRequest
from countersign_core.reasons import Reason

_REQUEST_ID = re.compile(r"[!-~]{1,200}")
_STRONG_TAG = re.compile(r'"([1-9][0-9]{0,17})"')
_PRINTABLE = re.compile(r"[ -~]*")
_NOT_PRINTABLE = re.compile(r"[^ -~]")
# RFC 6750: b64token.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")

# Longer than any key that the push service takes, short enough for one metadata entry.
_MAX_KEY_CHARACTERS = 300
# Two are enough for the service to see that there are several.
_MAX_KEYS_FORWARDED = 2
_MAX_USER_AGENT = 500


def request_id_from(value: str | None) -> str:
    """The caller's X-Request-Id (1 to 200 visible ASCII characters), or a new one."""
    if value is not None and _REQUEST_ID.fullmatch(value):
        return value
    return uuid4().hex


def expected_version_from(values: Sequence[str]) -> int | None:
    """The version in `If-Match: "<version>"`; None without the header or for `*`.

    Raises:
        InvalidRequest: weak, several, or no version of ours.
    """
    if not values or list(values) == ["*"]:
        return None
    tag = _STRONG_TAG.fullmatch(values[0].strip())
    if len(values) > 1 or tag is None:
        what = 'must be one strong entity tag with a version, such as "3", or *'
        raise InvalidRequest([FieldError("If-Match", what)])
    return int(tag[1])


def entity_tag(version: int) -> str:
    """The ETag of this version: what If-Match takes."""
    return f'"{version}"'


def idempotency_metadata(values: Sequence[str]) -> list[tuple[str, str]]:
    """Every Idempotency-Key header as metadata; the service judges them.

    Raises:
        CountersignError: IDEMPOTENCY_KEY_INVALID; metadata cannot carry the value.
    """
    for value in values:
        if len(value) > _MAX_KEY_CHARACTERS or not _PRINTABLE.fullmatch(value):
            raise _malformed_key()
    return [("idempotency-key", value) for value in values[:_MAX_KEYS_FORWARDED]]


def user_agent_from(value: str | None) -> str:
    """The User-Agent as metadata can carry it, 500 characters at the most."""
    return _NOT_PRINTABLE.sub("?", (value or "")[:_MAX_USER_AGENT]).strip()


def bearer_token_from(values: Sequence[str]) -> str:
    """The token of the one `Authorization: Bearer …`.

    Raises:
        CountersignError: UNAUTHENTICATED.
    """
    if not values:
        raise CountersignError(Reason.UNAUTHENTICATED, "Send a bearer token")
    scheme, _, token = values[0].partition(" ")
    token = token.strip()
    if len(values) > 1 or scheme.lower() != "bearer" or not _TOKEN.fullmatch(token):
        raise CountersignError(Reason.UNAUTHENTICATED, "Send one Authorization header: Bearer")
    return token


def _malformed_key() -> CountersignError:
    what = "must be 1 to 255 visible ASCII characters"
    return InvalidRequest(
        [FieldError("Idempotency-Key", what)], reason=Reason.IDEMPOTENCY_KEY_INVALID
    )
