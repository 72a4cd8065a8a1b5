"""What the chain alone cannot show, done as superuser: the checkpoint that knows better is named.

Twelve events, checkpoints at 5, 10 and 12, all of them in the archive.
"""

import json
import shutil
from uuid import uuid4

import pytest

from countersign_audit.seal_keys import SealingKey
from countersign_audit.seals import Checkpoint, from_line, seal_hash, sign

pytestmark = pytest.mark.integration

TABLES = ["events", "event_ids", "chain_heads", "seals", "seal_heads"]


@pytest.fixture
async def sealed(store, seal, make_event, org_id):
    await store.append([make_event() for _ in range(12)])
    assert await seal(events=5) == 3


@pytest.fixture
async def tamper(owner, sealed, org_id):
    """Runs a statement on the org's rows with every trigger switched off."""
    await owner.execute("SET session_replication_role = replica")

    async def run(sql, *arguments):
        return await owner.execute(sql, org_id, *arguments)

    return run


@pytest.fixture
def verify(verify_chain, org_id):
    async def verify(from_seq=0, to_seq=0):
        return await verify_chain(org_id, from_seq, to_seq)

    return verify


async def _cut(tamper, owner, org_id, last):
    """Cuts the tail, and sets the head back to where it ends then."""
    for table in ("events", "event_ids"):
        await tamper(f"DELETE FROM audit.{table} WHERE org_id = $1 AND seq > $2", last)
    await tamper(
        "UPDATE audit.chain_heads h SET seq = e.seq, hash = e.hash FROM audit.events e"
        " WHERE h.org_id = $1 AND e.org_id = $1 AND e.seq = $2",
        last,
    )


async def _replace(tamper, store, events):
    """The whole chain, written anew by the database's own function."""
    for table in ("events", "event_ids", "chain_heads"):
        await tamper(f"DELETE FROM audit.{table} WHERE org_id = $1")
    await store.append(events)


async def test_an_untouched_chain_agrees_with_its_seals_and_those_with_the_archive(verify, sealed):
    verdict = await verify()
    assert (verdict.flaw, verdict.checked, verdict.seals) == (None, 12, 3)
    assert (verdict.sealed_seq, verdict.archived_seals, verdict.removed_seq) == (12, 3, 0)


@pytest.mark.parametrize(("last", "number"), [(11, 3), (10, 3), (9, 2), (5, 2), (4, 1), (1, 1)])
async def test_a_tail_cut_with_its_head_row_names_the_checkpoint(
    verify, tamper, owner, org_id, last, number
):
    await _cut(tamper, owner, org_id, last)
    flaw = (await verify()).flaw
    assert (flaw.number, flaw.seq) == (number, last + 1)
    assert f"checkpoint {number} (seq " in flaw.problem
    assert flaw.problem.endswith(f"vouches for more: the chain ends at seq {last}")


async def test_a_tail_cut_without_its_head_row_names_the_entry(verify, tamper):
    await tamper("DELETE FROM audit.events WHERE org_id = $1 AND seq > 8")
    flaw = (await verify()).flaw
    assert (flaw.seq, flaw.problem) == (9, "seq 9 to 12 are missing")


async def test_a_chain_that_was_cut_away_whole_names_the_first_checkpoint(verify, tamper):
    for table in ("events", "event_ids", "chain_heads"):
        await tamper(f"DELETE FROM audit.{table} WHERE org_id = $1")
    flaw = (await verify()).flaw
    assert (flaw.number, flaw.seq) == (1, 1)


async def test_a_whole_chain_replaced_names_the_first_checkpoint(
    verify, tamper, store, make_event, owner, org_id
):
    """Sound in itself, as long as the old one, head row and ids included."""
    await _replace(tamper, store, [make_event() for _ in range(12)])
    flaw = (await verify()).flaw
    assert (flaw.number, flaw.seq) == (1, 5)
    assert flaw.problem.startswith("checkpoint 1 (seq 5) vouches for another hash")


async def test_a_chain_replaced_from_its_middle_names_the_next_checkpoint(
    verify, tamper, store, make_event, owner, org_id
):
    await _cut(tamper, owner, org_id, 7)
    await store.append([make_event() for _ in range(9)])
    flaw = (await verify()).flaw
    assert (flaw.number, flaw.seq) == (2, 10)


async def test_a_range_is_held_against_its_checkpoints(
    verify, tamper, store, make_event, owner, org_id
):
    await _cut(tamper, owner, org_id, 7)
    await store.append([make_event() for _ in range(9)])
    assert (await verify(1, 9)).flaw is None
    assert (await verify(6, 10)).flaw.number == 2


# --- the seals themselves -----------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 2, 3])
async def test_a_deleted_checkpoint_is_named(verify, tamper, archive_folder, number):
    await tamper("DELETE FROM audit.seals WHERE org_id = $1 AND number = $2", number)
    flaw = (await verify()).flaw
    assert flaw.number == (number if number == 3 else number + 1)
    shutil.rmtree(archive_folder)
    flaw = (await verify()).flaw
    assert flaw.number == (number if number == 3 else number + 1)
    assert "missing" in flaw.problem


@pytest.mark.parametrize(
    "change",
    [
        "seq = 4",
        "count = 3",
        "link_hash = sha256('x')",
        "made_at = made_at + interval '1 second'",
        "previous = sha256('x')",
        "signature = sha512('x')",
        "key_id = 'x'",
    ],
)
async def test_a_changed_checkpoint_is_named(verify, tamper, change):
    await tamper(f"UPDATE audit.seals SET {change} WHERE org_id = $1 AND number = 1")
    assert (await verify()).flaw.number == 1


async def test_two_swapped_checkpoints_are_named(verify, tamper):
    for old, new in [(1, 9), (2, 1), (9, 2)]:
        await tamper(f"UPDATE audit.seals SET number = {new} WHERE org_id = $1 AND number = {old}")
    assert (await verify()).flaw.number == 1


async def test_rows_and_checkpoints_deleted_together_are_found_by_the_archives_copy(
    verify, tamper, owner, org_id, archive_folder
):
    """Everything in the database fits together again; only the archive knows better."""
    await _cut(tamper, owner, org_id, 5)
    await tamper("DELETE FROM audit.seals WHERE org_id = $1 AND number > 1")
    await tamper(
        "UPDATE audit.seal_heads h SET number = 1, seq = s.seq, link_hash = s.link_hash,"
        " seal_hash = s.seal_hash FROM audit.seals s WHERE h.org_id = $1 AND s.org_id = $1"
    )
    verdict = await verify()
    assert (verdict.flaw.number, verdict.flaw.seq) == (2, 6)
    assert verdict.flaw.problem == "seal 2 is in the archive, but not on record"
    shutil.rmtree(archive_folder)
    verdict = await verify()
    assert (verdict.flaw, verdict.archived_seals) == (None, None)


async def test_an_org_deleted_whole_is_found_by_the_archives_copy(verify, tamper):
    for table in TABLES:
        await tamper(f"DELETE FROM audit.{table} WHERE org_id = $1")
    assert (await verify()).flaw.number == 1


async def test_a_chain_replaced_and_sealed_anew_is_found_by_the_archives_copy(
    verify, tamper, store, seal, make_event, org_id, archive
):
    """By the service itself, with its own key: two checkpoints 1 are then in the archive."""
    for table in TABLES:
        await tamper(f"DELETE FROM audit.{table} WHERE org_id = $1")
    await store.append([make_event() for _ in range(12)])
    assert await seal(events=5) == 3
    assert len([name async for name in archive.names(org_id)]) == 6
    flaw = (await verify()).flaw
    assert (flaw.number, flaw.problem) == (
        1,
        "checkpoint 1 (seq 5) is another one than the archive has",
    )


async def test_a_checkpoint_signed_with_a_key_of_ones_own_is_named(
    verify, tamper, seal_store, org_id, new_pem, archive_folder
):
    shutil.rmtree(archive_folder)
    (last,) = await seal_store.seals(org_id, 2, 1)
    forged = sign(last, SealingKey.from_pem(new_pem))
    await tamper(
        "UPDATE audit.seals SET key_id = $2, signature = $3, seal_hash = $4"
        " WHERE org_id = $1 AND number = 3",
        forged.key_id,
        forged.signature,
        seal_hash(forged),
    )
    await tamper("UPDATE audit.seal_heads SET seal_hash = $2 WHERE org_id = $1", seal_hash(forged))
    flaw = (await verify()).flaw
    assert (flaw.number, "is not known" in flaw.problem) == (3, True)


async def test_a_seal_head_that_was_changed_is_named(verify, tamper, owner, org_id):
    await tamper("UPDATE audit.seal_heads SET seal_hash = sha256('x') WHERE org_id = $1")
    assert (await verify()).flaw.problem == "the head of the seals is not seal 3"
    await tamper("DELETE FROM audit.seal_heads WHERE org_id = $1")
    assert (await verify()).flaw.problem == "the head of the seals is not seal 3"


async def test_sealing_goes_on_while_it_is_verified(verify, store, seal, make_event, sealed):
    """Neither order of the two makes a flaw of it."""
    for _ in range(5):
        await store.append([make_event()])
        checking = verify()
        assert await seal(archived=False) == 1
        assert (await checking).flaw is None


async def test_what_the_archive_has_is_the_signed_line(sealed, archive_folder, org_id):
    for file in (archive_folder / "audit" / "seals" / str(org_id)).iterdir():
        assert json.loads(file.read_text())["type"] == Checkpoint.FORM
        assert from_line(file.read_text()).org_id == org_id
    assert not (archive_folder / "audit" / "seals" / str(uuid4())).exists()
