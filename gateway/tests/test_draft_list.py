"""Lists that two services answer together: drafts with their newest exports."""

from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter

from countersign.approval.v1 import approval_service_pb2 as approvals
from countersign.approval.v1 import draft_pb2 as drafts
from countersign.push.v1 import export_pb2 as exports
from countersign.push.v1 import push_service_pb2 as pushes
from countersign_core.errors import Unavailable
from countersign_gateway.replies.drafts import DraftCountsReply, DraftPageReply
from countersign_gateway.replies.statistics import StatisticsReply

IDS = [f"00000000-0000-4000-8000-00000000000{number}" for number in range(4)]


def row(draft_id: str) -> drafts.DraftSummary:
    return drafts.DraftSummary(
        id=draft_id, external_ref="r", status=drafts.DRAFT_STATUS_ERROR, version=1
    )


def export(draft_id: str) -> exports.Export:
    return exports.Export(
        id=draft_id.replace("-4000-", "-4e00-"),
        draft_order_id=draft_id,
        status=exports.EXPORT_STATUS_FAILED,
        error=exports.ExportError(code="DISK_FULL", attempt=1),
    )


def drafts_of(*known: str) -> Any:
    """A ListDrafts that knows some drafts and answers those that are asked for."""

    async def answer(request: approvals.ListDraftsRequest, _context: Any) -> Any:
        asked = set(request.draft_order_ids) or set(known)
        return approvals.ListDraftsResponse(drafts=[row(each) for each in known if each in asked])

    return answer


async def test_a_row_has_its_newest_export_when_asked(
    http: httpx.AsyncClient, backends: Any
) -> None:
    backends.answers["ListDrafts"] = drafts_of(IDS[0], IDS[1])
    backends.answers["ListExports"] = pushes.ListExportsResponse(exports=[export(IDS[1])])
    page = (await http.get("/draft-orders?with_export=true")).json()
    TypeAdapter(DraftPageReply).validate_python(page, extra="forbid")
    assert [each["last_export"] is None for each in page["drafts"]] == [True, False]
    assert page["drafts"][1]["last_export"]["error"]["code"] == "DISK_FULL"
    (asked,) = backends.calls("ListExports")
    assert asked.request == pushes.ListExportsRequest(
        draft_order_ids=IDS[:2], newest_of_draft=True, page_size=2
    )


async def test_a_list_comes_without_exports_when_push_is_away(
    http: httpx.AsyncClient, backends: Any
) -> None:
    backends.answers["ListDrafts"] = drafts_of(IDS[0])
    backends.answers["ListExports"] = Unavailable("push is away")
    answer = await http.get("/draft-orders?with_export=true")
    assert answer.status_code == 200
    assert answer.json()["degraded"] == ["exports"]
    assert answer.json()["drafts"][0]["last_export"] is None


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("export_state=RETRYING", {"retrying": True}),
        ("export_state=STUCK", {"stuck_for_seconds": 60}),
        ("export_state=HELD", {"held": True}),
        ("export_state=UNACKED", {"statuses": [exports.EXPORT_STATUS_SENT]}),
        ("export_state=ACK_OVERDUE", {"ack_overdue": True}),
        ("error_code=DISK_FULL", {"error_code": "DISK_FULL"}),
    ],
)
async def test_what_is_asked_of_exports_leads(
    http: httpx.AsyncClient, backends: Any, query: str, asked: dict[str, Any]
) -> None:
    """The order is that of the exports; a draft that the other filters refuse is left out."""
    backends.answers["ListExports"] = pushes.ListExportsResponse(
        exports=[export(IDS[2]), export(IDS[0]), export(IDS[1])], next_page_token="more"
    )
    backends.answers["ListDrafts"] = drafts_of(IDS[0], IDS[2])
    page = (await http.get(f"/draft-orders?{query}&q=PO&status=ERROR&page_size=3")).json()
    assert [each["id"] for each in page["drafts"]] == [IDS[2], IDS[0]]
    assert page["next_page_token"] == "more"
    (request,) = [each.request for each in backends.calls("ListExports")]
    assert request == pushes.ListExportsRequest(newest_of_draft=True, page_size=3, **asked)
    (request,) = [each.request for each in backends.calls("ListDrafts")]
    assert (request.q, list(request.draft_order_ids)) == ("PO", [IDS[2], IDS[0], IDS[1]])


async def test_pages_without_a_fitting_draft_are_passed_over(
    http: httpx.AsyncClient, backends: Any
) -> None:
    async def answer(request: pushes.ListExportsRequest, _context: Any) -> Any:
        number = int(request.page_token or 0)
        token = "" if number == 3 else str(number + 1)
        return pushes.ListExportsResponse(exports=[export(IDS[number])], next_page_token=token)

    backends.answers["ListExports"] = answer
    backends.answers["ListDrafts"] = drafts_of(IDS[3])
    page = (await http.get("/draft-orders?export_state=HELD&page_size=1")).json()
    assert [each["id"] for each in page["drafts"]] == [IDS[3]]
    assert page["next_page_token"] is None


async def test_exports_have_one_order_only(http: httpx.AsyncClient, backends: Any) -> None:
    answer = await http.get("/draft-orders?export_state=HELD&sort=OLDEST")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "sort"
    assert not backends.received


async def test_counts_name_each_status(http: httpx.AsyncClient, backends: Any) -> None:
    backends.answers["CountDrafts"] = approvals.CountDraftsResponse(
        counts=[
            approvals.DraftCount(status=drafts.DRAFT_STATUS_READY, count=10_000, more=True),
            approvals.DraftCount(status=drafts.DRAFT_STATUS_ERROR),
        ]
    )
    body = (await http.get("/draft-orders/counts?q=PO&order_date_to=2026-03-01")).json()
    TypeAdapter(DraftCountsReply).validate_python(body, extra="forbid")
    assert body["counts"] == [
        {"status": "READY", "count": 10_000, "more": True},
        {"status": "ERROR", "count": 0, "more": False},
    ]
    assert backends.last.request == approvals.CountDraftsRequest(q="PO", order_date_to="2026-03-01")


async def test_statistics_are_sums_with_nulls_for_what_is_not_known(
    http: httpx.AsyncClient, backends: Any
) -> None:
    day = pushes.ExportFigures(
        day="2026-03-01", pushed=2, delivered=1, median_milliseconds=0, p95_milliseconds=90
    )
    backends.answers["GetExportStatistics"] = pushes.GetExportStatisticsResponse(
        figures=[day, pushes.ExportFigures(pushed=2)],
        waiting=[pushes.WaitingFigures(erp_connection_id=IDS[0], waiting=1, held=1)],
    )
    stretch = {
        "created_from": "2026-03-01T00:00:00Z",
        "created_to": "2026-03-08T00:00:00Z",
        "time_zone": "Europe/Berlin",
    }
    body = (await http.get("/erp-exports/statistics", params=stretch)).json()
    TypeAdapter(StatisticsReply).validate_python(body, extra="forbid")
    shown, total = body["figures"]
    assert (shown["median_milliseconds"], total["median_milliseconds"]) == (0, None)
    assert (total["day"], total["erp_connection_id"]) == (None, None)
    assert body["waiting"][0]["oldest_since"] is None
    assert backends.last.request.time_zone == "Europe/Berlin"


async def test_statistics_want_to_know_the_days(http: httpx.AsyncClient) -> None:
    answer = await http.get("/erp-exports/statistics?created_from=2026-03-01T00:00:00Z")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "created_to"
