"""What the database refuses, whoever asks: the service's own role tries it."""

import hashlib
from uuid import UUID, uuid4

import asyncpg
import pytest

from countersign.audit.v1.audit_service_pb2 import AuditEvent
from countersign_core.ids import draft_event_id

pytestmark = pytest.mark.integration


async def update(rows, draft_id: str, changes: str) -> str:
    return await rows.service.execute(
        f"UPDATE approval.draft_orders SET {changes} WHERE id = $1", UUID(draft_id)
    )


@pytest.mark.parametrize("status", ["EXTRACTED", "APPROVED", "PUSHING", "PUSHED", "ERROR", "LOST"])
async def test_a_draft_cannot_begin_in_the_middle(olga, rows, status):
    await olga.submit("ref-1")
    with pytest.raises(asyncpg.CheckViolationError):
        await rows.service.execute(
            "INSERT INTO approval.draft_orders (org_id, id, external_ref, status, content_sha256,"
            " submission_sha256, total_value, line_count, created_by, last_edited_by, approved_at,"
            " approved_by, approved_content_version, approved_sha256)"
            " VALUES ($1, $2, 'x', $3, '', '', 0, 0, '', '', $4, $5, $6, $7)",
            *(uuid4(), uuid4(), status),
            *((None,) * 4 if status in {"EXTRACTED", "LOST"} else await _approval(rows)),
        )


async def _approval(rows) -> tuple:
    return (await rows.owner.fetchval("SELECT now()"), "olga", 1, b"")


async def test_an_approved_digest_cannot_be_changed(olga, rows):
    draft = await olga.submit()
    await olga.approve(draft.id)
    for changes in (
        "content_sha256 = sha256('other')",
        "approved_sha256 = sha256('other')",
        "content_version = 7",
        "approved_by = NULL",
    ):
        with pytest.raises(asyncpg.CheckViolationError):
            await update(rows, draft.id, changes)


async def test_a_ready_draft_cannot_be_called_approved_without_an_approval(olga, rows):
    draft = await olga.submit()
    with pytest.raises(asyncpg.CheckViolationError, match="approved_from_approved_to_error"):
        await update(rows, draft.id, "status = 'APPROVED'")


async def test_a_blocked_draft_cannot_be_called_ready(olga, make, rows):
    draft = await olga.submit(content=make.empty())
    with pytest.raises(asyncpg.CheckViolationError, match="nothing_blocks_a_ready_draft"):
        await update(rows, draft.id, "status = 'READY'")


async def test_a_stored_content_must_have_its_own_digest(olga, rows):
    draft = await olga.submit()
    insert = (
        "INSERT INTO approval.draft_contents (org_id, draft_id, content_version, content,"
        " content_sha256, created_by) VALUES ($1, $2, 2, $3, $4, 'mallory')"
    )
    with pytest.raises(asyncpg.CheckViolationError, match="the_digest_is_that_of_the_content"):
        await rows.service.execute(
            insert, olga.org_id, UUID(draft.id), "{}", hashlib.sha256(b"[]").digest()
        )


FORBIDDEN = [
    "UPDATE approval.draft_contents SET content = '{}'",
    "DELETE FROM approval.draft_contents",
    "TRUNCATE approval.draft_contents",
    "DELETE FROM approval.draft_orders",
    "TRUNCATE approval.draft_orders CASCADE",
    "INSERT INTO approval.draft_transitions VALUES ('REJECTED', 'READY')",
    "DELETE FROM approval.draft_transitions",
    "INSERT INTO approval.draft_status_changes (org_id) SELECT org_id FROM approval.draft_orders",
    "UPDATE approval.draft_status_changes SET to_status = 'PUSHED'",
    "SELECT approval.move_draft(org_id, id, '{READY}', 'PUSHING') FROM approval.draft_orders",
    "SELECT FROM push.exports",
    "SELECT FROM audit.events",
]


async def test_what_the_services_role_may_not_do(olga, rows):
    await olga.submit()
    for statement in FORBIDDEN:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await rows.service.execute(statement)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="must be owner"):
        await rows.service.execute("ALTER TABLE approval.draft_orders DISABLE TRIGGER ALL")


async def test_sql_derives_the_ids_that_python_derives(rows):
    for version in (1, 7, 2**40):
        for action in ("DRAFT_APPROVED", "Zoë|1"):
            parts = (uuid4(), uuid4(), version, action)
            found = await rows.service.fetchval(
                "SELECT approval.draft_event_id($1, $2, $3, $4)", *parts
            )
            assert found == draft_event_id(*parts)


async def test_sql_writes_text_fields_as_protobuf_does(rows):
    for length in (0, 1, 127, 128, 129, 5000, 16383):
        text = ("ü" * (length // 2)) + "x" * (length % 2)
        assert len(text.encode()) == length
        begun = AuditEvent(event_id="old", action="A")
        found = await rows.service.fetchval(
            "SELECT $1::bytea || approval.proto_text(1, $2) || approval.proto_text(10, $2)",
            *(begun.SerializeToString(), text),
        )
        expected = AuditEvent(event_id=text, action="A", after_json=text)
        assert AuditEvent.FromString(found) == expected
