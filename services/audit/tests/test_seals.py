"""Seals: what is signed, how it travels, and what shows when one is swapped or dropped."""

import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from countersign_audit.event import Head
from countersign_audit.seal_check import SealCheck
from countersign_audit.seal_keys import PublicKeys, SealingKey
from countersign_audit.seals import (
    NO_SEAL,
    Checkpoint,
    Tombstone,
    canonical_form,
    from_line,
    is_signed,
    seal_hash,
    sign,
    to_line,
)

ORG = UUID("6f9619ff-8b86-d011-b42d-00c04fc964ff")
KEY = SealingKey(Ed25519PrivateKey.generate())
KEYS = PublicKeys({}).with_key(KEY)
CHECKPOINT = Checkpoint(
    org_id=ORG,
    number=1,
    previous=NO_SEAL,
    seq=12,
    count=12,
    head_hash=b"\x0a" * 32,
    made_at=datetime(2026, 3, 1, 9, 30, 0, 5, tzinfo=UTC),
)
TOMBSTONE = Tombstone(
    org_id=ORG,
    number=2,
    previous=b"\x01" * 32,
    month="2025-02",
    from_seq=1,
    to_seq=7,
    count=7,
    prev_hash=bytes(32),
    last_hash=b"\x07" * 32,
    removed_at=datetime(2026, 3, 2, tzinfo=UTC),
)
BOTH = [CHECKPOINT, TOMBSTONE]
OTHER = {
    UUID: UUID(int=1),
    int: 99,
    bytes: b"\xff" * 32,
    str: "other",
    datetime: CHECKPOINT.made_at + timedelta(microseconds=1),
}


def test_the_form_of_a_checkpoint_is_what_the_decision_record_shows():
    assert canonical_form(replace(CHECKPOINT, key_id="k")) == (
        b"31:countersign-audit-checkpoint-v1,36:6f9619ff-8b86-d011-b42d-00c04fc964ff,"
        b"1:1,64:" + b"0" * 64 + b",2:12,2:12,64:" + b"0a" * 32 + b","
        b"27:2026-03-01T09:30:00.000005Z,1:k,"
    )


def test_the_form_of_a_tombstone_is_what_the_decision_record_shows():
    assert canonical_form(TOMBSTONE) == (
        b"30:countersign-audit-tombstone-v1,36:6f9619ff-8b86-d011-b42d-00c04fc964ff,"
        b"1:2,64:" + b"01" * 32 + b",7:2025-02,1:1,1:7,1:7,64:" + b"0" * 64 + b","
        b"64:" + b"07" * 32 + b",27:2026-03-02T00:00:00.000000Z,0:,"
    )


@pytest.mark.parametrize("seal", BOTH)
def test_a_signed_seal_verifies_and_survives_its_line(seal):
    signed = sign(seal, KEY)
    assert is_signed(signed, KEYS)
    assert "\n" not in to_line(signed)
    assert from_line(to_line(signed)) == signed
    assert from_line(to_line(signed).encode()) == signed


@pytest.mark.parametrize(
    ("seal", "field"),
    [
        pytest.param(seal, field, id=f"{type(seal).__name__}.{field.name}")
        for seal in BOTH
        for field in fields(seal)
    ],
)
def test_a_change_of_any_field_shows(seal, field):
    signed = sign(seal, KEY)
    changed = replace(signed, **{field.name: OTHER[field.type]})
    assert not is_signed(changed, KEYS)
    assert (seal_hash(changed) != seal_hash(signed)) == (field.name != "signature")


def test_another_key_or_none_that_is_known_does_not_do():
    other = SealingKey(Ed25519PrivateKey.generate())
    assert not is_signed(sign(CHECKPOINT, other), KEYS)
    assert not is_signed(replace(sign(CHECKPOINT, other), key_id=KEY.key_id), KEYS)
    assert is_signed(sign(CHECKPOINT, KEY), KEYS.with_key(other))


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{}",
        "[]",
        "null",
        '{"type":"countersign-audit-checkpoint-v2"}',
        '{"type":"countersign-audit-checkpoint-v1"}',
        '{"type":["countersign-audit-checkpoint-v1"]}',
        to_line(CHECKPOINT)[:-1],
        to_line(CHECKPOINT).replace('"seq":12', '"seq":"12"'),
        to_line(CHECKPOINT).replace('"seq":12', '"seq":12.0'),
        to_line(CHECKPOINT).replace('"seq":12', '"seq":true'),
        to_line(CHECKPOINT).replace("0a0a", "zz0a"),
        to_line(CHECKPOINT).replace("2026-03-01", "2026-13-01"),
        to_line(CHECKPOINT).replace('"key_id":""', '"key_id":null'),
    ],
)
def test_what_is_no_seal_is_refused(line):
    with pytest.raises(ValueError):  # noqa: PT011 — any sentence will do
        from_line(line)


@given(
    st.builds(
        Checkpoint,
        org_id=st.uuids(),
        number=st.integers(1, 2**63 - 1),
        previous=st.binary(min_size=32, max_size=32),
        seq=st.integers(1, 2**63 - 1),
        count=st.integers(0, 2**63 - 1),
        head_hash=st.binary(min_size=32, max_size=32),
        made_at=st.datetimes(timezones=st.just(UTC)),
        key_id=st.text(st.characters(blacklist_categories=["Cs"])),
        signature=st.binary(max_size=64),
    )
)
def test_any_checkpoint_survives_its_line(checkpoint):
    assert from_line(to_line(checkpoint)) == checkpoint


# --- a chain of seals ---------------------------------------------------------------------


def hash_at(seq):
    return bytes(31) + bytes([seq])


def seals():
    """Checkpoints at 10 and 20, 1 to 15 removed, a checkpoint at 30."""
    made: list[Checkpoint | Tombstone] = []

    def add(kind, **values):
        previous = seal_hash(made[-1]) if made else NO_SEAL
        seal = kind(org_id=ORG, number=len(made) + 1, previous=previous, **values)
        made.append(sign(seal, KEY))

    at = CHECKPOINT.made_at
    add(Checkpoint, seq=10, count=10, head_hash=hash_at(10), made_at=at)
    add(Checkpoint, seq=20, count=20, head_hash=hash_at(20), made_at=at)
    removed = {"month": "2025-02", "from_seq": 1, "to_seq": 15, "count": 15}
    add(Tombstone, **removed, prev_hash=bytes(32), last_hash=hash_at(15), removed_at=at)
    add(Checkpoint, seq=30, count=15, head_hash=hash_at(30), made_at=at)
    return made


def check():
    return SealCheck(ORG, KEYS)


def test_a_sound_chain_of_seals_says_where_the_events_begin_and_what_they_must_agree_with():
    checked = check()
    assert checked.take_all(seals()) is None
    assert (checked.start, checked.reached, checked.number) == (Head(15, hash_at(15)), 30, 4)
    assert sorted(checked.due) == [20, 30]
    assert checked.latest == seals()[-1]


@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_dropped_seal_is_named_by_the_one_that_follows(index):
    kept = seals()
    del kept[index]
    flaw = check().take_all(kept)
    assert flaw.number == index + 2
    assert "is missing" in flaw.problem


@pytest.mark.parametrize("index", [0, 1, 3])
def test_a_changed_seal_is_named(index):
    changed = seals()
    changed[index] = replace(changed[index], head_hash=hash_at(99))
    flaw = check().take_all(changed)
    assert (flaw.number, flaw.seq) == (index + 1, changed[index].seq)
    assert "does not match its signature" in flaw.problem


def test_a_seal_swapped_for_another_signed_one_is_named_by_the_one_that_follows():
    """Signed with the very key: only the next seal knows the one that stood there."""
    swapped = seals()
    swapped[0] = sign(replace(swapped[0], head_hash=hash_at(99)), KEY)
    flaw = check().take_all(swapped)
    assert (flaw.number, "names another seal 1" in flaw.problem) == (2, True)


def test_two_swapped_seals_are_named():
    swapped = seals()
    swapped[0], swapped[1] = swapped[1], swapped[0]
    assert check().take_all(swapped).number == 2


def test_a_key_that_is_not_known_is_named():
    flaw = SealCheck(ORG, PublicKeys({})).take_all(seals())
    assert (flaw.number, "is not known" in flaw.problem) == (1, True)


def test_another_orgs_seal_is_named():
    flaw = SealCheck(UUID(int=5), KEYS).take_all(seals())
    assert "another org" in flaw.problem


@pytest.mark.parametrize(
    ("index", "values", "words"),
    [
        (1, {"seq": 9, "count": 9}, "goes back"),
        (1, {"count": 19}, "counts 19"),
        (2, {"from_seq": 2, "count": 14}, "does not begin"),
        (2, {"prev_hash": hash_at(1)}, "does not begin"),
        (2, {"count": 14}, "counts 14"),
        (2, {"to_seq": 10, "count": 10}, "another hash than checkpoint 1"),
    ],
)
def test_a_seal_that_contradicts_those_before_it_is_named(index, values, words):
    """Well signed, and still impossible: our own key would have to lie."""
    told = seals()[: index + 1]
    told[index] = sign(replace(told[index], **values), KEY)
    flaw = check().take_all(told)
    assert (flaw.number, words in flaw.problem) == (index + 1, True)


def test_a_chain_with_another_hash_than_a_checkpoint_names_it():
    checked = check()
    checked.take_all(seals())
    assert checked.agrees(Head(20, hash_at(20))) is None
    assert checked.agrees(Head(21, hash_at(99))) is None
    flaw = checked.agrees(Head(20, hash_at(99)))
    assert (flaw.number, flaw.seq) == (2, 20)
    assert flaw.problem.startswith("checkpoint 2 (seq 20) vouches for another hash")


def test_a_cut_tail_names_the_checkpoint_that_knows_better():
    checked = check()
    checked.take_all(seals())
    assert checked.beyond(30) is None
    flaw = checked.beyond(24)
    assert (flaw.number, flaw.seq) == (4, 25)
    assert flaw.problem == "checkpoint 4 (seq 30) vouches for more: the chain ends at seq 24"


# --- keys ---------------------------------------------------------------------------------


def test_a_key_set_is_read_back_as_it_was_written():
    keys = PublicKeys.from_jwks(json.dumps(KEYS.to_jwks()))
    assert is_signed(sign(CHECKPOINT, KEY), keys)
    assert keys.to_jwks() == KEYS.to_jwks()


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"keys":[{"kty":"RSA","n":"AQ","e":"AQ"}]}', '{"keys":[{"kty":"OKP"}]}'],
)
def test_what_is_no_key_set_of_ed25519_is_refused(text):
    with pytest.raises(ValueError, match="JSON Web Key Set of Ed25519"):
        PublicKeys.from_jwks(text)


@pytest.mark.parametrize("text", ["", "secret", "-----BEGIN PRIVATE KEY-----\nAA\n"])
def test_what_is_no_private_key_is_refused(text):
    with pytest.raises(ValueError, match="Ed25519 private key in PEM"):
        SealingKey.from_pem(text)
