"""ListEvents over real gRPC on a real database."""

from datetime import timedelta
from uuid import uuid4

import pytest

from countersign.audit.v1 import audit_service_pb2 as pb
from countersign_audit.messages import timestamp_of
from countersign_core.errors import CountersignError, Forbidden, InvalidRequest
from countersign_core.reasons import Reason
from countersign_core.roles import READERS, SERVICE_ROLES

pytestmark = pytest.mark.integration


async def test_pages_cover_everything_once_newest_first(audit, org_id, make_event):
    await audit.append(*(make_event() for _ in range(25)))
    seen, token, pages = [], "", 0
    while pages == 0 or token:
        reply = await audit.list(org_id, page_size=10, page_token=token)
        seen += [event.seq for event in reply.events]
        token = reply.next_page_token
        pages += 1
    assert (seen, pages) == (list(range(25, 0, -1)), 3)


async def test_filters_reach_the_database(audit, org_id, make_event):
    base = make_event()
    later = base.occurred_at + timedelta(hours=1)
    await audit.append(
        base,
        make_event(action="DRAFT_PUSHED", draft_order_id=base.draft_order_id, occurred_at=later),
        make_event(actor_user_id="ann", request_id="r-9", entity_id="e-1"),
    )
    for fields, seqs in [
        ({"actions": ["DRAFT_PUSHED"]}, [2]),
        ({"draft_order_id": base.draft_order_id}, [2, 1]),
        ({"entity_type": "draft_order", "entity_id": "e-1"}, [3]),
        ({"actor_user_id": "ann"}, [3]),
        ({"request_id": "r-9"}, [3]),
        ({"occurred_from": timestamp_of(later)}, [2]),
        ({"occurred_to": timestamp_of(later)}, [3, 1]),
    ]:
        reply = await audit.list(org_id, **fields)
        assert [event.seq for event in reply.events] == seqs, fields


async def test_another_org_sees_nothing(audit, org_id, make_event):
    event = make_event()
    await audit.append(event)
    reply = await audit.list(uuid4(), draft_order_id=event.draft_order_id)
    assert not reply.events


async def test_the_token_of_another_org_s_page_is_refused(audit, org_id, make_event):
    await audit.append(make_event(), make_event())
    token = (await audit.list(org_id, page_size=1)).next_page_token
    with pytest.raises(CountersignError) as refusal:
        await audit.list(uuid4(), page_size=1, page_token=token)
    assert refusal.value.reason is Reason.PAGE_TOKEN_INVALID


@pytest.mark.parametrize("role", sorted(READERS))
async def test_every_person_may_list(audit, org_id, role):
    token = audit.tokens.user(org_id, role)
    await audit.call("ListEvents", pb.ListEventsRequest(), token)


@pytest.mark.parametrize("role", sorted(SERVICE_ROLES))
async def test_no_service_may_list(audit, role):
    with pytest.raises(Forbidden):
        await audit.call("ListEvents", pb.ListEventsRequest(), audit.tokens.service(role))


async def test_a_misspelt_action_is_refused(audit, org_id):
    with pytest.raises(InvalidRequest) as refusal:
        await audit.list(org_id, actions=["DRAFT_APROVED"])
    assert [error.field for error in refusal.value.field_errors] == ["actions[0]"]
