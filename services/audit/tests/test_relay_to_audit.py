"""The relays' own sender against the real service: what is written here is what they sent."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from countersign.audit.v1.audit_service_pb2 import AuditEvent
from countersign_audit.messages import moment_of
from countersign_core.audit_actions import AuditAction, EntityType
from countersign_core.errors import InvalidRequest
from countersign_core.roles import Role
from countersign_platform.outbox.audit_record import audit_row
from countersign_platform.outbox.audit_sender import AuditSender
from countersign_platform.outbox.row import LANE_AUDIT, OutboxRow
from countersign_platform.rpc.channel import open_channel

pytestmark = pytest.mark.integration

WRITTEN_AT = datetime(2026, 3, 1, 9, 30, 0, 123456, tzinfo=UTC)


def _row(org_id: UUID, seq: int, payload: bytes | None = None) -> OutboxRow:
    event_id, recorded = audit_row(
        None,
        AuditAction.DRAFT_PUSH_SUCCEEDED,
        EntityType.DRAFT_ORDER,
        uuid4(),
        org_id=org_id,
        event_id=uuid4(),
        after={"status": "PUSHED", "n": seq},
    )
    written_at = WRITTEN_AT + timedelta(seconds=seq)
    return OutboxRow(
        org_id=org_id,
        id=event_id,
        seq=seq,
        lane=LANE_AUDIT,
        payload=payload or recorded,
        headers={},
        created_at=written_at,
        attempts=0,
        leased_until=written_at,
    )


@pytest.fixture
async def sender(audit):
    token = audit.tokens.service(Role.RELAY)
    async with open_channel(audit.target, token=lambda: token) as channel:
        yield AuditSender(channel)


async def test_a_bad_row_stands_alone_and_the_others_are_on_record_once(audit, sender, org_id):
    unknown = AuditEvent(
        event_id=str(uuid4()),
        org_id=str(org_id),
        action="DRAFT_TELEPORTED",
        entity_type="draft_order",
        entity_id="d-1",
    )
    rows = [_row(org_id, seq) for seq in range(7)]
    rows[4] = _row(org_id, 4, unknown.SerializeToString())
    for _ in range(2):
        results = await sender.send(rows)
        assert [type(result) for result in results if result] == [InvalidRequest]
        assert isinstance(results[4], InvalidRequest)
    listed = (await audit.list(org_id)).events
    assert [event.event_id for event in reversed(listed)] == [
        str(row.id) for row in rows if row is not rows[4]
    ]
    assert moment_of(listed[0].occurred_at) == rows[6].created_at
    assert listed[0].after_json == '{"n":6,"status":"PUSHED"}'
    assert (await audit.verify(org_id)).checked == 6
