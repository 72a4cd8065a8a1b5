"""One value has one spelling, whoever wrote it and in whatever order."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign_core.canonical_json import canonical_json, sha256_hex

SCALARS = st.none() | st.booleans() | st.integers() | st.text()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


@given(VALUES)
def test_a_value_survives_the_round_trip(value):
    assert json.loads(canonical_json(value)) == value


@given(VALUES)
def test_writing_what_was_read_gives_the_same_bytes(value):
    """Digests are taken again from stored text: the spelling must be stable."""
    data = canonical_json(value)
    assert canonical_json(json.loads(data)) == data


@given(st.dictionaries(st.text(), VALUES, min_size=2))
def test_the_order_of_keys_does_not_matter(value):
    assert canonical_json(dict(reversed(value.items()))) == canonical_json(value)


@given(VALUES, VALUES)
def test_different_values_have_different_spellings(one, other):
    """True and 1 are equal in Python and not in JSON, so compare what JSON says."""
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (canonical_json(one) == canonical_json(other)) == same


def test_the_spelling_is_dense_sorted_utf_8():
    assert canonical_json({"b": [1, None, True], "a": "Müller €"}) == (
        '{"a":"Müller €","b":[1,null,true]}'.encode()
    )


@pytest.mark.parametrize(
    "value", [1.0, float("nan"), [1.5], {"a": {"b": [0.1]}}, ({"a": 1.0},), {"a": -0.0}]
)
def test_a_float_is_refused_wherever_it_hides(value):
    with pytest.raises(TypeError, match="decimal string"):
        canonical_json(value)


@pytest.mark.parametrize("value", [Decimal("1.0"), b"x", {1, 2}, object()])
def test_what_json_does_not_know_is_refused(value):
    with pytest.raises(TypeError):
        canonical_json({"value": value})


def test_a_digest_is_64_hex_digits_of_sha_256():
    assert sha256_hex(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
