"""A page token works with the filters that it was given out for, and with nothing else."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign_core.errors import CountersignError
from countersign_core.reasons import Reason
from countersign_platform.paging import decode_page_token, encode_page_token

FILTERS = {"statuses": ["READY"], "q": "Müller"}
POSITION = ("2026-01-02T03:04:05.000006+00:00", "6f1f8f0e-63f4-4c92-8a52-4d9f8a6f9f11")


def refused(token, filters=FILTERS) -> bool:
    with pytest.raises(CountersignError) as caught:
        decode_page_token(token, filters)
    return caught.value.reason is Reason.PAGE_TOKEN_INVALID


@given(st.lists(st.text(max_size=40), max_size=4), st.dictionaries(st.text(), st.text()))
def test_a_position_comes_back(position, filters):
    token = encode_page_token(filters, position)
    assert decode_page_token(token, filters) == tuple(position)


def test_the_empty_token_asks_for_the_first_page():
    assert decode_page_token("", FILTERS) is None


def test_the_order_of_filters_does_not_matter():
    token = encode_page_token(FILTERS, POSITION)
    assert decode_page_token(token, dict(reversed(FILTERS.items()))) == POSITION


def test_other_filters_refuse_the_token():
    token = encode_page_token(FILTERS, POSITION)
    assert refused(token, {**FILTERS, "q": "Meier"})


def test_a_changed_position_is_refused():
    body = json.loads(base64.urlsafe_b64decode(encode_page_token(FILTERS, POSITION) + "=="))
    body["p"][1] = "00000000-0000-0000-0000-000000000000"
    assert refused(base64.urlsafe_b64encode(json.dumps(body).encode()).decode())


@pytest.mark.parametrize(
    "token",
    ["x", "!!!!", "é", "e30", "bnVsbA", "W10", "eyJwIjoxfQ", "eyJwIjpbMV19", "eyJwIjpbXX0", "_w"],
)
def test_foreign_tokens_are_refused(token):
    assert refused(token)


@given(st.text(min_size=1, max_size=60))
def test_whatever_text_comes_is_refused_politely(token):
    assert refused(token)


def test_a_usual_token_fits_the_contract():
    assert len(encode_page_token(FILTERS, POSITION)) < 500
