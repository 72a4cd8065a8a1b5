"""GET /audit-log/export: three formats, streamed, and cut where they break."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from countersign.audit.v1 import audit_service_pb2 as audit
from countersign_core.errors import CountersignError, Unavailable
from countersign_core.reasons import Reason
from countersign_gateway.audit_formats import FIELDS
from countersign_gateway.bootstrap import build

ORG = "5c0ffee0-0000-4000-8000-000000000001"
HEAD = "cd" * 32


def event(seq: int, **fields: Any) -> audit.AuditEvent:
    return audit.AuditEvent(
        **{
            "event_id": str(uuid4()),
            "org_id": ORG,
            "seq": seq,
            "actor_user_id": "olga",
            "action": "DRAFT_APPROVED",
            "entity_type": "draft_order",
            "entity_id": "d-1",
            "before_json": '{"version": 1.10, "note": "a\\u2028b"}',
            "occurred_at": Timestamp(seconds=1_772_357_400, nanos=120_000),
            "hash": "ab" * 32,
            "prev_hash": "0" * 64,
            **fields,
        }
    )


def pieces(*events: audit.AuditEvent, ends: bool = True) -> Callable[..., AsyncIterator[Any]]:
    """Each event in a piece of its own, then the end."""

    async def stream(_request: Any, _context: Any) -> AsyncIterator[Any]:
        for each in events:
            yield audit.ExportEventsResponse(events=[each], looked_up_to_seq=each.seq, up_to_seq=9)
        if ends:
            end = audit.ExportEnd(
                count=len(events), last_seq=9, last_hash=HEAD, head_seq=9, head_hash=HEAD
            )
            yield audit.ExportEventsResponse(up_to_seq=9, end=end)

    return stream


async def test_json_lines_hold_every_field_as_the_hash_covers_it(
    http: httpx.AsyncClient, backends: Any
) -> None:
    first, second = event(8), event(9, after_json='{"Zoë":"\u2028"}', user_agent="x\ny")
    backends.answers["ExportEvents"] = pieces(first, second)
    answer = await http.get("/audit-log/export")
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.headers["X-Audit-Up-To-Seq"] == "9"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="audit-{ORG}-1-9.jsonl"'
    *lines, end, rest = answer.content.split(b"\n")
    assert rest == b""
    assert [list(json.loads(line)) for line in lines] == [list(FIELDS)] * 2
    for line, sent in zip(lines, [first, second], strict=True):
        found = json.loads(line)
        assert found.pop("occurred_at") == "2026-03-01T09:30:00.000120Z"
        assert found == {name: getattr(sent, name) for name in FIELDS if name != "occurred_at"}
    assert json.loads(end) == {
        "end_of_export": {
            "org_id": ORG,
            "filters": {},
            "after_seq": 0,
            "up_to_seq": 9,
            "count": 2,
            "last_seq": 9,
            "last_hash": HEAD,
            "head_seq": 9,
            "head_hash": HEAD,
        }
    }


def test_a_line_holds_every_field_of_the_contract() -> None:
    """A field that the contract gains must be exported too, or be left out on purpose."""
    assert set(FIELDS) == set(audit.AuditEvent.DESCRIPTOR.fields_by_name)


async def test_cloud_events_are_the_same_records_in_envelopes(
    http: httpx.AsyncClient, backends: Any
) -> None:
    backends.answers["ExportEvents"] = pieces(event(8))
    plain = (await http.get("/audit-log/export")).content.splitlines()
    answer = await http.get("/audit-log/export", params={"format": "cloudevents"})
    found, end = map(json.loads, answer.content.splitlines())
    data = found.pop("data")
    assert data == json.loads(plain[0])
    assert found == {
        "specversion": "1.0",
        "id": data["event_id"],
        "source": f"urn:countersign:audit:{ORG}",
        "type": "countersign.audit.DRAFT_APPROVED",
        "subject": "draft_order/d-1",
        "time": "2026-03-01T09:30:00.000120Z",
        "sequence": "0000000000000000008",
        "datacontenttype": "application/json",
    }
    assert end["type"] == "countersign.audit.end_of_export"
    assert end["data"] == json.loads(plain[1])


async def test_csv_is_read_back_as_it_was(http: httpx.AsyncClient, backends: Any) -> None:
    sent = event(8, user_agent='a "b", c\r\nd', actor_user_id="Zoë")
    backends.answers["ExportEvents"] = pieces(sent)
    answer = await http.get("/audit-log/export", params={"format": "csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    [row] = csv.DictReader(io.StringIO(answer.text, newline=""))
    assert list(row) == list(FIELDS)
    assert (row["user_agent"], row["actor_user_id"]) == ('a "b", c\r\nd', "Zoë")
    assert row["before_json"] == sent.before_json


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d"])
async def test_no_cell_of_a_csv_is_a_formula(
    http: httpx.AsyncClient, backends: Any, start: str
) -> None:
    """A user agent is what anybody sends; a spreadsheet would run it."""
    backends.answers["ExportEvents"] = pieces(event(8, user_agent=f"{start}cmd|' /C calc'!A0"))
    answer = await http.get("/audit-log/export", params={"format": "csv"})
    [row] = csv.DictReader(io.StringIO(answer.text, newline=""))
    assert row["user_agent"] == f"'{start}cmd|' /C calc'!A0"


async def test_filters_and_cursor_reach_the_service(http: httpx.AsyncClient, backends: Any) -> None:
    backends.answers["ExportEvents"] = pieces(event(8))
    params = {
        "action": ["DRAFT_PUSHED", "DRAFT_APPROVED"],
        "actor_user_id": "olga",
        "request_id": "r",
        "occurred_to": "2026-03-01T10:30:00+01:00",
        "after_seq": "7",
        "up_to_seq": "9",
    }
    answer = await http.get("/audit-log/export", params=params)
    assert backends.last.request == audit.ExportEventsRequest(
        actions=["DRAFT_PUSHED", "DRAFT_APPROVED"],
        actor_user_id="olga",
        request_id="r",
        occurred_to=Timestamp(seconds=1_772_357_400),
        after_seq=7,
        up_to_seq=9,
    )
    end = json.loads(answer.content.splitlines()[-1])["end_of_export"]
    assert end["after_seq"] == 7
    assert end["filters"] == {
        "action": ["DRAFT_PUSHED", "DRAFT_APPROVED"],
        "actor_user_id": "olga",
        "request_id": "r",
        "occurred_to": "2026-03-01T09:30:00Z",
    }
    assert backends.last.seconds_left > 600


async def test_a_csv_that_goes_on_has_no_second_first_row(
    http: httpx.AsyncClient, backends: Any
) -> None:
    backends.answers["ExportEvents"] = pieces(event(8))
    answer = await http.get("/audit-log/export", params={"format": "csv", "after_seq": "7"})
    assert answer.text.startswith(f'"{ORG}","8",')


async def test_a_refusal_is_a_problem_and_no_download(
    http: httpx.AsyncClient, backends: Any
) -> None:
    backends.answers["ExportEvents"] = CountersignError(Reason.ROLE_REQUIRED, "No")
    answer = await http.get("/audit-log/export")
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("query", ["format=xml", "after_seq=-1", "after=1", "page_size=5"])
async def test_a_query_that_is_none_is_400(
    http: httpx.AsyncClient, backends: Any, query: str
) -> None:
    assert (await http.get(f"/audit-log/export?{query}")).status_code == 400
    assert backends.received == []


@pytest.mark.parametrize("file_format", ["jsonl", "csv", "cloudevents"])
@pytest.mark.parametrize("how", ["error", "silence"])
async def test_a_stream_that_breaks_is_cut_without_its_last_chunk(
    http: httpx.AsyncClient, backends: Any, file_format: str, how: str
) -> None:
    """A file that looks complete and is not would be worse than none."""

    async def breaks(request: Any, context: Any) -> AsyncIterator[Any]:
        async for piece in pieces(event(8), ends=False)(request, context):
            yield piece
        if how == "error":
            raise RuntimeError("the test breaks it")

    backends.answers["ExportEvents"] = breaks
    received = bytearray()
    async with http.stream("GET", f"/audit-log/export?format={file_format}") as answer:
        with pytest.raises(httpx.RemoteProtocolError):
            await read_into(received, answer)
    assert b"olga" in received
    assert b"end_of_export" not in received


async def read_into(received: bytearray, answer: httpx.Response) -> None:
    async for chunk in answer.aiter_raw():
        received += chunk


async def test_a_caller_who_leaves_ends_the_services_stream(
    http: httpx.AsyncClient, backends: Any
) -> None:
    left = asyncio.Event()

    async def endless(_request: Any, _context: Any) -> AsyncIterator[Any]:
        try:
            while True:
                yield audit.ExportEventsResponse(events=[event(8)], up_to_seq=9)
        finally:
            left.set()

    backends.answers["ExportEvents"] = endless
    async with http.stream("GET", "/audit-log/export") as answer:
        await anext(answer.aiter_raw())
    async with asyncio.timeout(60):
        await left.wait()


async def test_a_gateway_that_drains_cuts_the_download(
    gateway_settings: Any, backends: Any, token: str
) -> None:
    """It may take an hour; whoever downloads goes on at another gateway."""

    async def waits(_request: Any, _context: Any) -> AsyncIterator[Any]:
        yield audit.ExportEventsResponse(events=[event(8)], up_to_seq=9)
        await asyncio.Event().wait()

    backends.answers["ExportEvents"] = waits
    service = await build(gateway_settings(drain_seconds=60.0))
    await service.start()
    headers = {"Authorization": f"Bearer {token}"}
    base_url = f"http://127.0.0.1:{service.port}"
    async with httpx.AsyncClient(base_url=base_url, headers=headers) as client:
        async with client.stream("GET", "/audit-log/export") as answer:
            received = answer.aiter_raw()
            await anext(received)
            stopping = asyncio.create_task(service.stop())
            with pytest.raises(httpx.RemoteProtocolError):
                await anext(received)
        async with asyncio.timeout(60):
            await stopping


async def test_a_service_that_is_away_is_503(http: httpx.AsyncClient, backends: Any) -> None:
    backends.answers["ExportEvents"] = Unavailable("away")
    answer = await http.get("/audit-log/export")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
