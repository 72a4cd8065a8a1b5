"""VerifyChain against an owner of the tables who switches the triggers off."""

from uuid import uuid4

import pytest

from countersign.audit.v1 import audit_service_pb2 as pb
from countersign_audit import chain_walk
from countersign_audit.chain import link_hash
from countersign_core.errors import Forbidden
from countersign_core.roles import Role

pytestmark = pytest.mark.integration

LENGTH = 12


@pytest.fixture(autouse=True)
def short_stretches(monkeypatch):
    monkeypatch.setattr(chain_walk, "STRETCH", 5)


@pytest.fixture
async def chain(audit, org_id, make_event):
    """Twelve events of the org, and as many of another."""
    for _ in range(3):
        batch = [make_event() for _ in range(LENGTH // 3)]
        await audit.append(*batch, *(make_event(org_id=OTHER_ORG) for _ in batch))


OTHER_ORG = uuid4()


@pytest.fixture
async def tamper(owner, chain):
    """Runs a statement with every trigger switched off, as a superuser can."""

    async def run(sql, *arguments):
        await owner.execute("SET session_replication_role = replica")
        return await owner.execute(sql, *arguments)

    return run


async def test_an_untouched_chain_is_valid(audit, org_id, chain, owner):
    verdict = await audit.verify(org_id)
    head = await owner.fetchrow("SELECT * FROM audit.chain_heads WHERE org_id = $1", org_id)
    assert verdict == pb.VerifyChainResponse(
        valid=True,
        checked=LENGTH,
        head_seq=head["seq"],
        head_hash=head["hash"].hex(),
        archive_compared=True,
    )


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("event_id", "gen_random_uuid()"),
        ("occurred_at", "occurred_at + interval '1 microsecond'"),
        ("actor_user_id", "'mallory'"),
        ("action", "'DRAFT_REJECTED'"),
        ("entity_type", "'rpc'"),
        ("entity_id", "'x'"),
        ("draft_order_id", "''"),
        ("request_id", "'x'"),
        ("trace_id", "'x'"),
        ("ip", "'x'"),
        ("user_agent", "'x'"),
        ("before_json", "'{}'"),
        ("after_json", "after_json || ' '"),
        ("hash", "sha256('x')"),
        ("prev_hash", "sha256('x')"),
    ],
)
async def test_a_changed_field_is_named(audit, org_id, tamper, column, value):
    await tamper(
        f"UPDATE audit.events SET {column} = {value} WHERE org_id = $1 AND seq = 7", org_id
    )
    verdict = await audit.verify(org_id)
    assert (verdict.valid, verdict.first_bad_seq, verdict.checked) == (False, 7, 6)
    assert verdict.problem
    assert (await audit.verify(OTHER_ORG)).valid


@pytest.mark.parametrize("seq", [1, 5, 6, LENGTH])
async def test_a_deleted_row_is_named(audit, org_id, tamper, seq):
    await tamper("DELETE FROM audit.events WHERE org_id = $1 AND seq = $2", org_id, seq)
    verdict = await audit.verify(org_id)
    assert (verdict.first_bad_seq, verdict.problem) == (seq, f"seq {seq} is missing")


async def test_two_swapped_rows_are_named(audit, org_id, tamper):
    await tamper(
        "UPDATE audit.events SET seq = CASE seq WHEN 3 THEN 9 ELSE 3 END"
        " WHERE org_id = $1 AND seq IN (3, 9)",
        org_id,
    )
    assert (await audit.verify(org_id)).first_bad_seq == 3


async def test_a_row_inserted_into_the_chain_is_named(audit, org_id, tamper):
    """Another partition, another recorded_at: the key alone would let it in."""
    await tamper(
        "INSERT INTO audit.events SELECT (jsonb_populate_record(e, jsonb_build_object("
        "'recorded_at', e.recorded_at + interval '1 second', 'actor_user_id', 'mallory'))).*"
        " FROM audit.events e WHERE org_id = $1 AND seq = 5",
        org_id,
    )
    verdict = await audit.verify(org_id)
    assert (verdict.first_bad_seq, verdict.problem) == (5, "seq 5 is on record twice")


async def test_a_row_inserted_behind_the_head_is_named(audit, org_id, tamper, store, make_event):
    last = (await store.links(org_id, LENGTH, LENGTH))[0]
    event = make_event()
    await tamper(
        "INSERT INTO audit.events SELECT (jsonb_populate_record(e, jsonb_build_object("
        "'seq', 13, 'prev_hash', e.hash, 'hash', $2::bytea))).*"
        " FROM audit.events e WHERE org_id = $1 AND seq = 12",
        org_id,
        link_hash(last.hash, event, LENGTH + 1),
    )
    verdict = await audit.verify(org_id)
    assert (verdict.first_bad_seq, verdict.checked) == (13, LENGTH)
    assert verdict.problem == "seq 13 stands beyond the head (12)"


async def test_a_cut_tail_is_named(audit, org_id, tamper):
    await tamper("DELETE FROM audit.events WHERE org_id = $1 AND seq > 8", org_id)
    verdict = await audit.verify(org_id)
    assert (verdict.first_bad_seq, verdict.problem) == (9, "seq 9 to 12 are missing")
    assert (verdict.head_seq, verdict.checked) == (8, 8)


async def test_a_chain_that_was_written_anew_differs_from_its_head(audit, org_id, tamper, store):
    """Whoever recomputes the last link must change the head row too; checkpoints are for that."""
    (last,) = await store.links(org_id, LENGTH, LENGTH)
    await tamper("UPDATE audit.chain_heads SET hash = sha256('x') WHERE org_id = $1", org_id)
    verdict = await audit.verify(org_id)
    assert (verdict.first_bad_seq, verdict.head_hash) == (LENGTH, last.hash.hex())
    assert verdict.problem == "the head row keeps another hash than seq 12"


async def test_a_deleted_head_row_is_named(audit, org_id, tamper):
    await tamper("DELETE FROM audit.chain_heads WHERE org_id = $1", org_id)
    assert (await audit.verify(org_id)).first_bad_seq == 1


async def test_a_range_is_checked_alone(audit, org_id, tamper):
    await tamper("UPDATE audit.events SET ip = 'x' WHERE org_id = $1 AND seq = 4", org_id)
    sound = await audit.verify(org_id, from_seq=5, to_seq=10)
    assert (sound.valid, sound.checked, sound.head_seq) == (True, 6, 10)
    assert (await audit.verify(org_id, from_seq=4)).first_bad_seq == 4


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.VIEWER])
async def test_who_only_reads_may_not_verify(audit, org_id, role):
    with pytest.raises(Forbidden):
        await audit.call("VerifyChain", pb.VerifyChainRequest(), audit.tokens.user(org_id, role))


async def test_an_integrator_may_verify(audit, org_id):
    token = audit.tokens.user(org_id, Role.INTEGRATOR)
    assert (await audit.call("VerifyChain", pb.VerifyChainRequest(), token)).valid
