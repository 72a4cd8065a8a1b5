"""Sealed secrets open for their owner, under their key, unaltered, and never otherwise."""

import base64
import os
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from countersign_push.assignment import ConnectionAccess, open_secrets, seal_secrets
from countersign_push.secret_box import KeyRing, Owner, Sealed, SecretsUnreadable


def entry(key_id="k1", size=32):
    return f"{key_id}:{base64.b64encode(os.urandom(size)).decode()}"


@pytest.fixture
def ring():
    return KeyRing.parse(entry())


@pytest.fixture
def owner():
    return Owner(uuid4(), uuid4())


def test_what_was_sealed_opens_for_its_owner(ring, owner):
    assert ring.open(ring.seal(b"hunter2", owner), owner) == b"hunter2"


def test_the_same_value_is_sealed_differently_every_time(ring, owner):
    """Random nonces: equal secrets of two connections do not show as equal."""
    assert ring.seal(b"x", owner).data != ring.seal(b"x", owner).data


@pytest.mark.parametrize("part", ["org_id", "connection_id"])
def test_a_value_copied_to_another_org_or_connection_does_not_open(ring, owner, part):
    other = Owner(**{"org_id": owner.org_id, "connection_id": owner.connection_id, part: uuid4()})
    with pytest.raises(SecretsUnreadable):
        ring.open(ring.seal(b"x", owner), other)


def test_org_and_connection_cannot_trade_places(ring):
    a, b = uuid4(), uuid4()
    with pytest.raises(SecretsUnreadable):
        ring.open(ring.seal(b"x", Owner(a, b)), Owner(b, a))


@pytest.mark.parametrize("position", [0, 11, 12, -1])
def test_a_flipped_bit_is_noticed_wherever_it_is(ring, owner, position):
    sealed = ring.seal(b"hunter2", owner)
    altered = bytearray(sealed.data)
    altered[position] ^= 1
    with pytest.raises(SecretsUnreadable):
        ring.open(Sealed(sealed.key_id, bytes(altered)), owner)


@pytest.mark.parametrize("length", [0, 5, 12, 20])
def test_a_truncated_value_is_refused(ring, owner, length):
    sealed = ring.seal(b"hunter2", owner)
    with pytest.raises(SecretsUnreadable):
        ring.open(Sealed(sealed.key_id, sealed.data[:length]), owner)


def test_an_unknown_key_id_is_refused(ring, owner):
    sealed = ring.seal(b"x", owner)
    with pytest.raises(SecretsUnreadable, match="k9"):
        ring.open(Sealed("k9", sealed.data), owner)


def test_the_first_key_seals_and_every_key_opens(owner):
    """Rotation: put the new key in front, keep the old one until all is sealed anew."""
    old, new = entry("old"), entry("new")
    sealed = KeyRing.parse(old).seal(b"x", owner)
    both = KeyRing.parse(f"{new},{old}")
    assert both.open(sealed, owner) == b"x"
    assert both.seal(b"y", owner).key_id == "new"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "key 1 is not of the form"),
        ("no-colon", "key 1 is not of the form"),
        ("bad id:AAAA", "key 1 is not of the form"),
        ("k1:not base64!", "'k1' is not base64"),
        (entry("k1", 31), "'k1' has 31 bytes, not 32"),
        (entry("k1", 16), "'k1' has 16 bytes, not 32"),
        (entry("k1", 33), "'k1' has 33 bytes, not 32"),
        (entry("k1") + ",", "key 2 is not of the form"),
        (entry("k1") + "," + entry("k1"), "two keys have the same id"),
    ],
    # Named by the refusal: the keys are random, and every worker must collect the same tests.
    ids=["empty", "no colon", "bad id", "not base64", "31", "16", "33", "comma", "twice"],
)
def test_a_missing_short_or_malformed_key_is_refused(text, why):
    with pytest.raises(ValueError, match=why):
        KeyRing.parse(text)


def test_a_refused_key_does_not_show(push_settings):
    """The service does not start, and its one line says which setting, not what it held."""
    short = entry("k1", 31)
    with pytest.raises(ValidationError) as caught:
        push_settings(secret_keys=short)
    message = str(caught.value)
    assert "secret_keys" in message
    assert short.split(":")[1] not in message


def test_secrets_are_sealed_as_one_value_and_none_as_nothing(ring, owner):
    secrets = {"password": "hünter2", "private_key": "-----BEGIN"}
    sealed = seal_secrets(secrets, ring, owner)
    assert b"hunter2" not in sealed.data
    assert open_secrets(sealed, ring, owner) == secrets
    assert seal_secrets({}, ring, owner) is None
    assert open_secrets(None, ring, owner) == {}


def test_open_secrets_stay_out_of_reprs():
    access = ConnectionAccess(UUID(int=1), UUID(int=2), "T", {}, 1, {"password": "hunter2"})
    assert "hunter2" not in repr(access)
