"""Idempotency keys: spellings, refusals, and what makes two requests the same."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign_core.errors import InvalidRequest
from countersign_core.reasons import Reason
from countersign_push.idempotency import fingerprint, parse_key
from countersign_push.push_intent import Operation, PushIntent

DRAFT = UUID("00000000-0000-4000-8000-000000000001")
OTHER = UUID("00000000-0000-4000-8000-000000000002")
visible = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=255)


def test_no_header_means_no_key():
    assert parse_key(()) is None


@given(visible)
def test_the_quoted_spelling_names_the_same_key(key):
    """A structured-field string and the bare characters are one key."""
    quoted = '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'
    assert parse_key((quoted,)) == key
    if not key.startswith('"'):
        assert parse_key((key,)) == key


@pytest.mark.parametrize(
    "value",
    [
        "",
        '""',
        "x" * 256,
        '"' + "x" * 256 + '"',
        "two words",
        '"two words"',
        "tab\there",
        "schlüssel",
        '"open',
        '"a"b"',
        '"a";p=1',
        '"a", "b"',
        '"bad \\x escape"',
        '"ends\\"',
        "\x7f",
    ],
)
def test_what_is_no_key_is_refused(value):
    with pytest.raises(InvalidRequest) as refused:
        parse_key((value,))
    assert refused.value.reason is Reason.IDEMPOTENCY_KEY_INVALID
    assert refused.value.message == (
        "idempotency-key: must be 1 to 255 visible ASCII characters, bare or as a quoted string"
    )


def test_two_headers_are_refused_even_when_equal():
    with pytest.raises(InvalidRequest) as refused:
        parse_key(("a", "a"))
    assert refused.value.reason is Reason.IDEMPOTENCY_KEY_INVALID
    assert refused.value.message == "idempotency-key: was sent 2 times; send one"


def test_the_longest_key_is_accepted():
    assert parse_key(("k" * 255,)) == "k" * 255


def test_the_same_request_has_the_same_fingerprint():
    assert fingerprint(Operation.PUSH, PushIntent(DRAFT)) == fingerprint(
        Operation.PUSH, PushIntent(UUID(str(DRAFT).upper()))
    )


@pytest.mark.parametrize(
    ("operation", "intent"),
    [
        (Operation.RETRY, PushIntent(DRAFT)),
        (Operation.PUSH, PushIntent(OTHER)),
        (Operation.PUSH, PushIntent(DRAFT, expected_version=1)),
        (Operation.PUSH, PushIntent(DRAFT, connection_id=OTHER)),
        (Operation.PUSH, PushIntent(DRAFT, reason="because")),
    ],
)
def test_whatever_the_caller_changes_changes_the_fingerprint(operation, intent):
    assert fingerprint(operation, intent) != fingerprint(Operation.PUSH, PushIntent(DRAFT))
