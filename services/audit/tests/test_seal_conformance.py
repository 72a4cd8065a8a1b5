"""What commands may rely on, of the store of seals and of its twin in memory alike; and of archives."""

from datetime import UTC, datetime

import pytest

from countersign_audit.event import Head
from countersign_audit.memory_seals import MemorySealArchive, MemorySeals
from countersign_audit.seals import NO_SEAL, Checkpoint, seal_hash, sign

BOTH = ["memory", pytest.param("postgres", marks=pytest.mark.integration)]


@pytest.fixture(params=BOTH)
def make(request, org_id, make_event, key):
    """Makes three seals of the org; the reader, and what it should read."""
    if request.param == "memory":
        return lambda: _in_memory(org_id, key)
    names = ("store", "seal", "seal_store")
    store, seal, seal_store = (request.getfixturevalue(name) for name in names)

    async def in_postgres():
        await store.append([make_event() for _ in range(3)])
        assert await seal(events=1) == 3
        return seal_store, list(await seal_store.seals(org_id, 0, 9))

    return in_postgres


async def _in_memory(org_id, key):
    seals = MemorySeals()
    for number in (1, 2, 3):
        checkpoint = Checkpoint(
            org_id=org_id,
            number=number,
            previous=(await seals.seal_head(org_id)).hash,
            seq=number,
            count=number,
            head_hash=bytes([number]) * 32,
            made_at=datetime(2026, 3, number, tzinfo=UTC),
        )
        seals.add(sign(checkpoint, key))
    return seals, seals.by_org[org_id]


async def test_seals_come_in_order_above_a_number(make, org_id):
    reader, seals = await make()
    assert [each.number for each in seals] == [1, 2, 3]
    assert list(await reader.seals(org_id, 0, 2)) == seals[:2]
    assert list(await reader.seals(org_id, 2, 9)) == seals[2:]
    assert list(await reader.seals(org_id, 3, 9)) == []


async def test_the_head_names_the_last_seal(make, org_id):
    reader, seals = await make()
    assert await reader.seal_head(org_id) == Head(3, seal_hash(seals[2]))
    assert await reader.removed_seq(org_id) == 0


async def test_an_org_without_seals_is_empty(make, make_event):
    reader, _ = await make()
    other = make_event().event_id
    assert await reader.seal_head(other) == Head(0, NO_SEAL)
    assert list(await reader.seals(other, 0, 9)) == []
    assert await reader.removed_seq(other) == 0


@pytest.fixture(params=["memory", "folder"])
def copies(request):
    return MemorySealArchive() if request.param == "memory" else request.getfixturevalue("archive")


async def test_an_archive_names_what_it_was_given_once(copies, org_id, key):
    made = sign(
        Checkpoint(
            org_id=org_id,
            number=7,
            previous=NO_SEAL,
            seq=3,
            count=3,
            head_hash=b"\x01" * 32,
            made_at=datetime(2026, 3, 1, tzinfo=UTC),
        ),
        key,
    )
    for _ in range(2):
        await copies.put(made)
    assert [name async for name in copies.names(org_id)] == [(7, seal_hash(made))]
    assert [name async for name in copies.names(_another(org_id))] == []


def _another(org_id):
    return type(org_id)(int=org_id.int ^ 1)
