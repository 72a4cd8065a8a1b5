"""One life cycle: the file, the picture, the table, and what the database really accepts."""

import re
from itertools import permutations
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest

from countersign_core.lifecycle import DRAFT_TRANSITIONS, DraftStatus

pytestmark = pytest.mark.integration

PAGE = Path(__file__).parents[2] / "docs" / "lifecycle.md"
APPROVED_STATES = {"APPROVED", "PUSHING", "PUSHED", "ERROR"}
LEGAL = {
    (source.value, target.value)
    for source, targets in DRAFT_TRANSITIONS.items()
    for target in targets
}

INSERT = """
INSERT INTO approval.draft_orders (
       org_id, id, external_ref, status, content_sha256, submission_sha256, total_value,
       line_count, created_by, last_edited_by, approved_at, approved_by,
       approved_content_version, approved_sha256, rejected_at, rejected_by, reject_reason)
VALUES ($1, $2, $2::uuid::text, $3, '', '', 0, 0, '', '', {extras})
"""
UPDATE = (
    "UPDATE approval.draft_orders SET status = $2, version = version + 1, {extras} WHERE id = $1"
)


def state_columns(status: str) -> dict[str, str]:
    """What a row in `status` has to carry, so that only the move itself can be refused."""
    approved = status in APPROVED_STATES
    rejected = status == "REJECTED"
    return {
        "approved_at": "now()" if approved else "NULL",
        "approved_by": "'olga'" if approved else "NULL",
        "approved_content_version": "1" if approved else "NULL",
        "approved_sha256": "''" if approved else "NULL",
        "rejected_at": "now()" if rejected else "NULL",
        "rejected_by": "'olga'" if rejected else "NULL",
        "reject_reason": "'why'" if rejected else "NULL",
    }


@pytest.fixture
async def owner(databases):
    connection = await asyncpg.connect(databases.owner_url)
    yield connection
    await connection.close()


@pytest.fixture
async def service(databases):
    """A connection with the approval service's own role."""
    connection = await asyncpg.connect(databases.url_for("approval"))
    yield connection
    await connection.close()


async def put(owner: asyncpg.Connection, status: str) -> UUID:
    """A draft in any state, past the triggers."""
    draft_id = uuid4()
    sql = INSERT.format(extras=", ".join(state_columns(status).values()))
    async with owner.transaction():
        await owner.execute("SET LOCAL session_replication_role = replica")
        await owner.execute(sql, uuid4(), draft_id, status)
    return draft_id


def drawn() -> set[tuple[str, str]]:
    """The arrows between drafts' states on the page."""
    section = PAGE.read_text(encoding="utf-8").partition("## Draft orders")[2].partition("\n## ")[0]
    return set(re.findall(r"^\s+(\w+) --> (\w+)", section, re.MULTILINE))


async def test_the_table_holds_the_moves_of_the_file(service):
    rows = await service.fetch("SELECT from_status, to_status FROM approval.draft_transitions")
    assert {tuple(row) for row in rows} == LEGAL
    assert len(rows) == len(LEGAL)


def test_the_picture_shows_the_moves_of_the_file():
    assert drawn() == LEGAL


async def test_the_database_accepts_exactly_these_moves(owner, service):
    """Every pair of states is tried with the service's own role."""
    accepted = set()
    for source, target in permutations([status.value for status in DraftStatus], 2):
        draft_id = await put(owner, source)
        columns = state_columns(target)
        extras = ", ".join(f"{name} = {value}" for name, value in columns.items())
        try:
            await service.execute(UPDATE.format(extras=extras), draft_id, target)
        except asyncpg.CheckViolationError as refused:
            assert refused.constraint_name == "draft_status_moves_only_as_listed"  # noqa: PT017
        else:
            accepted.add((source, target))
    assert accepted == LEGAL


async def test_the_push_service_moves_drafts_only_through_its_function(databases, owner):
    """Its role cannot write drafts, and its function refuses every target that is not its own."""
    push = await asyncpg.connect(databases.url_for("push"))
    move = "SELECT version FROM approval.move_draft($1, $2, $3, $4)"
    accepted = set()
    for source, target in permutations([status.value for status in DraftStatus], 2):
        draft_id = await put(owner, source)
        org_id = await owner.fetchval(
            "SELECT org_id FROM approval.draft_orders WHERE id = $1", draft_id
        )
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await push.execute("UPDATE approval.draft_orders SET status = $1", target)
        try:
            moved = await push.fetchval(move, org_id, draft_id, [source], target)
        except asyncpg.CheckViolationError:
            continue
        if moved is not None:
            accepted.add((source, target))
    await push.close()
    assert accepted == {move for move in LEGAL if move[1] in {"PUSHING", "PUSHED", "ERROR"}}
