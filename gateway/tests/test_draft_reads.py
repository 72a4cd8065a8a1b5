"""What is read of draft orders over REST: the list, a former content, the whole detail."""

import asyncio
import gc
from typing import Any

import httpx
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from pydantic import TypeAdapter

from countersign.approval.v1 import approval_service_pb2 as approvals
from countersign.approval.v1 import draft_pb2 as drafts
from countersign.audit.v1 import audit_service_pb2 as audit
from countersign.push.v1 import export_pb2 as exports
from countersign.push.v1 import push_service_pb2 as pushes
from countersign_core.errors import CountersignError, Unavailable
from countersign_core.reasons import Reason
from countersign_gateway.replies.drafts import ContentReply, DraftDetailReply

MOMENT = Timestamp(seconds=1_772_357_400, nanos=123_456_000)


async def test_list_passes_every_filter_on(http: httpx.AsyncClient, backends: Any) -> None:
    row = drafts.DraftSummary(
        id="d", external_ref="r", status=drafts.DRAFT_STATUS_READY, version=1, line_count=2
    )
    backends.answers["ListDrafts"] = approvals.ListDraftsResponse(
        drafts=[row], next_page_token="next"
    )
    answer = await http.get(
        "/draft-orders",
        params=[
            ("status", "READY"),
            ("status", "APPROVED"),
            ("customer", "Müller"),
            ("q", "PO-"),
            ("created_from", "2026-03-01T10:30:00+01:00"),
            ("created_to", "2026-03-02T00:00:00Z"),
            ("order_date_from", "2026-02-01"),
            ("order_date_to", "2026-02-28"),
            ("page_size", "500"),
            ("page_token", "t"),
        ],
    )
    assert answer.json()["next_page_token"] == "next"
    assert answer.json()["drafts"][0]["customer_name"] is None
    assert backends.last.request == approvals.ListDraftsRequest(
        statuses=[drafts.DRAFT_STATUS_READY, drafts.DRAFT_STATUS_APPROVED],
        customer="Müller",
        q="PO-",
        created_from=Timestamp(seconds=1_772_357_400),
        created_to=Timestamp(seconds=1_772_409_600),
        order_date_from="2026-02-01",
        order_date_to="2026-02-28",
        page_size=500,
        page_token="t",
        sort=approvals.DRAFT_SORT_NEWEST,
    )


async def test_last_page_has_a_null_token(http: httpx.AsyncClient, backends: Any) -> None:
    backends.answers["ListDrafts"] = approvals.ListDraftsResponse()
    assert (await http.get("/draft-orders")).json() == {
        "drafts": [],
        "next_page_token": None,
        "degraded": [],
    }


@pytest.mark.parametrize(
    "query",
    [
        "stauts=READY",
        "status=ready",
        "page_size=501",
        "page_size=0",
        "created_from=2026-03-01",
        "created_from=2026-03-01T10:00:00",
        "created_from=2026-13-01T10:00:00Z",
        "created_from=0001-01-01T00:00:00%2B14:00",
        "order_date_from=yesterday",
        "q=a%00b",
        "sort=BEST",
        "export_state=LOST",
        "error_code=disk full",
    ],
)
async def test_filter_that_means_nothing_is_400_and_named(
    http: httpx.AsyncClient, backends: Any, query: str
) -> None:
    """A misspelt filter that is ignored shows everything."""
    answer = await http.get(f"/draft-orders?{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"].startswith(query.partition("=")[0])
    assert backends.received == []


async def test_a_former_content_is_read_by_its_version(
    http: httpx.AsyncClient, backends: Any, draft_id: str
) -> None:
    line = drafts.DraftLine(line_no=7, qty="1.50")
    backends.answers["GetDraftContent"] = approvals.GetDraftContentResponse(
        content=drafts.DraftContent(lines=[line]),
        content_version=3,
        content_sha256="ab" * 32,
        created_by_user_id="olga",
    )
    answer = await http.get(f"/draft-orders/{draft_id}/contents/3")
    body = answer.json()
    TypeAdapter(ContentReply).validate_python(body, extra="forbid")
    assert (body["content_version"], body["lines"][0]["qty"]) == (3, "1.50")
    assert backends.last.request == approvals.GetDraftContentRequest(
        draft_order_id=draft_id, content_version=3
    )
    assert (await http.get(f"/draft-orders/{draft_id}/contents/0")).status_code == 400


@pytest.fixture
def whole(backends: Any, draft_id: str) -> None:
    line = drafts.DraftLine(line_no=1, qty="1.10", currency="EUR")
    draft = drafts.Draft(
        id=draft_id,
        external_ref="mail-1",
        status=drafts.DRAFT_STATUS_PUSHED,
        version=2,
        content=drafts.DraftContent(lines=[line]),
        created_at=MOMENT,
        updated_at=MOMENT,
    )
    backends.answers["GetDraft"] = approvals.GetDraftResponse(draft=draft)
    export = exports.Export(id="e", draft_order_id=draft_id, status=exports.EXPORT_STATUS_SENT)
    backends.answers["ListExports"] = pushes.ListExportsResponse(exports=[export])
    event = audit.AuditEvent(event_id="v", seq=1, action="DRAFT_SUBMITTED", after_json='{"a":"1"}')
    backends.answers["ListEvents"] = audit.ListEventsResponse(events=[event])


@pytest.mark.usefixtures("whole")
async def test_detail_has_draft_exports_and_trail(
    http: httpx.AsyncClient, backends: Any, draft_id: str
) -> None:
    answer = await http.get(f"/draft-orders/{draft_id}")
    assert answer.headers["ETag"] == '"2"'
    body = answer.json()
    TypeAdapter(DraftDetailReply).validate_python(body, extra="forbid")
    assert body["exports"][0]["status"] == "SENT"
    assert body["audit_trail"][0]["after"] == {"a": "1"}
    assert body["audit_trail"][0]["actor_user_id"] is None
    assert body["degraded"] == []
    assert backends.calls("ListExports")[0].request.draft_order_id == draft_id
    [trail] = backends.calls("ListEvents")
    assert trail.request.draft_order_id == draft_id
    assert trail.request.page_size == 200


@pytest.mark.usefixtures("whole")
async def test_detail_is_fetched_from_three_services_at_once(
    http: httpx.AsyncClient, backends: Any, draft_id: str
) -> None:
    together = asyncio.Barrier(3)
    for method in ("GetDraft", "ListExports", "ListEvents"):
        reply = backends.answers[method]

        async def meet(_request: Any, _context: Any, reply: Any = reply) -> Any:
            await asyncio.wait_for(together.wait(), 60)
            return reply

        backends.answers[method] = meet
    answer = await http.get(f"/draft-orders/{draft_id}")
    assert answer.json()["degraded"] == []


@pytest.mark.usefixtures("whole")
@pytest.mark.parametrize(
    ("method", "member", "name"),
    [("ListExports", "exports", "exports"), ("ListEvents", "audit_trail", "audit")],
)
async def test_detail_without_a_part_says_which(
    http: httpx.AsyncClient, backends: Any, draft_id: str, method: str, member: str, name: str
) -> None:
    backends.answers[method] = Unavailable("away")
    answer = await http.get(f"/draft-orders/{draft_id}")
    assert answer.status_code == 200
    assert answer.json()[member] is None
    assert answer.json()["degraded"] == [name]
    assert answer.json()["external_ref"] == "mail-1"


@pytest.mark.usefixtures("whole")
async def test_detail_of_nobodys_draft_is_404(
    http: httpx.AsyncClient, backends: Any, draft_id: str
) -> None:
    backends.answers["GetDraft"] = CountersignError(Reason.DRAFT_NOT_FOUND, "Draft not found")
    answer = await http.get(f"/draft-orders/{draft_id}")
    assert answer.status_code == 404
    assert answer.json()["detail"] == "Draft not found"


@pytest.mark.usefixtures("whole")
async def test_a_refused_detail_waits_for_no_part_and_leaves_none_behind(
    http: httpx.AsyncClient, backends: Any, draft_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    never = asyncio.Event()

    async def wait(_request: Any, _context: Any) -> Any:
        await never.wait()

    backends.answers["GetDraft"] = CountersignError(Reason.DRAFT_NOT_FOUND, "Draft not found")
    backends.answers |= {"ListExports": wait, "ListEvents": wait}
    answer = await http.get(f"/draft-orders/{draft_id}")
    assert answer.status_code == 404
    gc.collect()
    assert "never retrieved" not in caplog.text
