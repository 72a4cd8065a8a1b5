"""Verify on a chain in memory: every way to tamper with it is named."""

from dataclasses import replace

import pytest

from countersign_audit import chain_walk
from countersign_audit.chain import GENESIS_HASH, link_hash
from countersign_audit.commands.verify_chain import VerifyChain
from countersign_audit.event import Head, Link
from countersign_audit.memory_seals import MemorySealArchive, MemorySeals
from countersign_audit.memory_trail import MemoryTrail
from countersign_audit.seal_keys import PublicKeys
from countersign_core.errors import InvalidRequest

LENGTH = 10


@pytest.fixture(autouse=True)
def short_stretches(monkeypatch):
    """Ten links are read in four stretches, so that flaws fall on their borders as well."""
    monkeypatch.setattr(chain_walk, "STRETCH", 3)


def command(trail):
    """Nothing is sealed: the chain has to speak for itself."""
    return VerifyChain(trail, MemorySeals(), MemorySealArchive(), PublicKeys({}))


@pytest.fixture
async def trail(make_event) -> MemoryTrail:
    trail = MemoryTrail()
    await trail.append([make_event(after_json=f'{{"n":{n}}}') for n in range(LENGTH)])
    return trail


@pytest.fixture
def verify(trail, org_id):
    async def verify(from_seq=0, to_seq=0):
        return await command(trail)(org_id, from_seq, to_seq)

    return verify


async def test_a_sound_chain_is_valid_to_its_head(trail, verify, org_id):
    verdict = await verify()
    assert (verdict.flaw, verdict.checked, verdict.head) == (None, LENGTH, trail.heads[org_id])


async def test_an_empty_chain_is_valid(org_id):
    verdict = await command(MemoryTrail())(org_id, 0, 0)
    assert (verdict.flaw, verdict.checked, verdict.head) == (None, 0, Head(0, GENESIS_HASH))


@pytest.mark.parametrize("seq", range(1, LENGTH + 1))
async def test_a_changed_field_is_named(trail, verify, org_id, seq):
    chain = trail.chains[org_id]
    link = chain[seq - 1]
    chain[seq - 1] = replace(link, event=replace(link.event, actor_user_id="mallory"))
    verdict = await verify()
    assert (verdict.flaw.seq, verdict.checked) == (seq, seq - 1)
    assert verdict.flaw.problem == "the event does not match its hash: a field was changed"


@pytest.mark.parametrize("seq", range(1, LENGTH))
async def test_a_changed_field_with_a_new_hash_shows_at_the_next_link(trail, verify, org_id, seq):
    chain = trail.chains[org_id]
    link = chain[seq - 1]
    event = replace(link.event, actor_user_id="mallory")
    chain[seq - 1] = Link(event, seq, link.prev_hash, link_hash(link.prev_hash, event, seq))
    flaw = (await verify()).flaw
    assert (flaw.seq, flaw.problem) == (seq + 1, f"prev_hash is not the hash of seq {seq}")


async def test_a_changed_last_link_with_a_new_hash_differs_from_the_head(trail, verify, org_id):
    chain = trail.chains[org_id]
    link = chain[-1]
    event = replace(link.event, actor_user_id="mallory")
    chain[-1] = Link(event, LENGTH, link.prev_hash, link_hash(link.prev_hash, event, LENGTH))
    flaw = (await verify()).flaw
    assert (flaw.seq, flaw.problem) == (LENGTH, "the head row keeps another hash than seq 10")


@pytest.mark.parametrize("seq", range(1, LENGTH + 1))
async def test_a_deleted_link_is_named(trail, verify, org_id, seq):
    del trail.chains[org_id][seq - 1]
    flaw = (await verify()).flaw
    assert (flaw.seq, flaw.problem) == (seq, f"seq {seq} is missing")


async def test_a_cut_tail_is_named(trail, verify, org_id):
    del trail.chains[org_id][4:]
    flaw = (await verify()).flaw
    assert (flaw.seq, flaw.problem) == (5, "seq 5 to 10 are missing")


@pytest.mark.parametrize(("one", "two"), [(2, 3), (3, 4), (1, 10)])
async def test_two_swapped_events_are_named(trail, verify, org_id, one, two):
    chain = trail.chains[org_id]
    first, second = chain[one - 1], chain[two - 1]
    chain[one - 1] = replace(second, seq=one)
    chain[two - 1] = replace(first, seq=two)
    assert (await verify()).flaw.seq == one


@pytest.mark.parametrize("seq", range(1, LENGTH + 1))
async def test_a_link_on_record_twice_is_named(trail, verify, org_id, seq):
    trail.chains[org_id].append(trail.chains[org_id][seq - 1])
    flaw = (await verify()).flaw
    assert (flaw.seq, flaw.problem) == (seq, f"seq {seq} is on record twice")


async def test_a_link_beyond_the_head_is_named(trail, verify, org_id, make_event):
    last = trail.chains[org_id][-1]
    event = make_event()
    trail.chains[org_id].append(Link(event, 11, last.hash, link_hash(last.hash, event, 11)))
    flaw = (await verify()).flaw
    assert (flaw.seq, flaw.problem) == (11, "seq 11 stands beyond the head (10)")


async def test_a_chain_without_its_head_row_is_named(trail, verify, org_id):
    del trail.heads[org_id]
    flaw = (await verify()).flaw
    assert (flaw.seq, flaw.problem) == (1, "seq 1 stands beyond the head (0)")


async def test_a_range_is_checked_from_the_link_before_it(trail, verify, org_id):
    chain = trail.chains[org_id]
    chain[0] = replace(chain[0], event=replace(chain[0].event, ip="changed"))
    verdict = await verify(4, 8)
    assert (verdict.flaw, verdict.checked) == (None, 5)
    assert verdict.head == Head(8, chain[7].hash)


async def test_a_range_after_the_head_waits_for_what_comes(trail, verify, org_id):
    """Who verified up to the head goes on from there; nothing new is no flaw."""
    verdict = await verify(LENGTH + 1, 0)
    assert (verdict.flaw, verdict.checked, verdict.head) == (None, 0, trail.heads[org_id])


@pytest.mark.parametrize(
    ("from_seq", "to_seq", "bad_seq"), [(0, 12, 11), (5, 2**63 - 1, 11), (15, 0, 14), (15, 20, 14)]
)
async def test_links_asked_for_beyond_the_head_are_missing(verify, from_seq, to_seq, bad_seq):
    """Who asks for seq 12 knows that it existed."""
    assert (await verify(from_seq, to_seq)).flaw.seq == bad_seq


async def test_a_range_upside_down_is_refused(verify):
    with pytest.raises(InvalidRequest):
        await verify(5, 4)
