"""An export that breaks off, however often and wherever, comes out whole."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from countersign_cli.audit_download import AuditDownload
from countersign_cli.client import ApiError
from countersign_cli.part_file import OtherDownloadError

LENGTH = 9
HEAD = '"org_id","seq","user_agent"\r\n'
FORMATS = ["jsonl", "cloudevents", "csv"]


def rows(file_format: str, after_seq: int) -> list[bytes]:
    """What the gateway sends: records with line ends and the end record's name inside of texts."""
    texts = {seq: f'a "{seq}"\r\n,end_of_export' for seq in range(after_seq + 1, LENGTH + 1)}
    if file_format == "csv":
        cells = (text.replace('"', '""') for text in texts.values())
        lines = (f'"o","{seq}","{cell}"\r\n' for seq, cell in zip(texts, cells, strict=True))
        return [line.encode() for line in ([] if after_seq else [HEAD])] + [
            line.encode() for line in lines
        ]
    records: list[dict[str, Any]] = [
        {"org_id": "o", "seq": seq, "user_agent": text} for seq, text in texts.items()
    ]
    records.append({"end_of_export": {"after_seq": after_seq}})
    if file_format == "cloudevents":
        records = [{"specversion": "1.0", "data": record} for record in records]
    return [json.dumps(record).encode() + b"\n" for record in records]


def whole(file_format: str, last_after: int) -> bytes:
    """The file that must come out when the last stream began behind `last_after`."""
    records = rows(file_format, 0)
    if file_format == "csv":
        return b"".join(records)
    return b"".join(records[:-1] + rows(file_format, last_after)[-1:])


class Broken(httpx.AsyncByteStream):
    """Breaks after so many bytes; None: never."""

    def __init__(self, content: bytes, breaks_after: int | None, size: int) -> None:
        self._content = content
        self._breaks_after = breaks_after
        self._size = size

    async def __aiter__(self) -> AsyncIterator[bytes]:
        end = len(self._content) if self._breaks_after is None else self._breaks_after
        for start in range(0, min(end, len(self._content)), self._size):
            yield self._content[start : min(start + self._size, end)]
        if self._breaks_after is not None:
            raise httpx.RemoteProtocolError("cut")


class Gateway:
    """Streams that break as `breaks` says, one after the other; then one that does not."""

    def __init__(self, breaks: list[int], size: int = 7) -> None:
        self.breaks = list(breaks)
        self.size = size
        self.asked: list[dict[str, str]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(dict(request.url.params))
        after_seq = int(request.url.params.get("after_seq", "0"))
        content = b"".join(rows(request.url.params["format"], after_seq))
        breaks_after = self.breaks.pop(0) if self.breaks else None
        stream = Broken(content, breaks_after, self.size)
        return httpx.Response(200, headers={"X-Audit-Up-To-Seq": str(LENGTH)}, stream=stream)


def download(handler: Any, out: Path, file_format: str = "jsonl", **wanted: Any) -> Any:
    async def run() -> Any:
        transport = httpx.MockTransport(handler)
        async with httpx.AsyncClient(base_url="http://gateway", transport=transport) as client:
            asked = {"format": file_format} | wanted
            return await AuditDownload(client, asked, lambda *_: None, 0.0).into(out)

    return asyncio.run(run())


@pytest.mark.parametrize("file_format", FORMATS)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)
@example(breaks=[35, 36], size=400)
@given(breaks=st.lists(st.integers(0, 900), max_size=4), size=st.integers(1, 400))
def test_a_download_that_breaks_anywhere_comes_out_whole(
    tmp_path: Path, file_format: str, breaks: list[int], size: int
) -> None:
    gateway, out = Gateway(breaks, size), tmp_path / "out"
    download(gateway, out, file_format)
    last_after = int(gateway.asked[-1].get("after_seq", "0"))
    assert out.read_bytes() == whole(file_format, last_after)
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("file_format", FORMATS)
def test_what_came_is_kept_for_the_next_run(tmp_path: Path, file_format: str) -> None:
    """Also what a crash left behind the last save is no harm: it is dropped."""
    out, part = tmp_path / "out", tmp_path / "out.part"
    with pytest.raises(ApiError):
        download(Gateway([300] + [0] * 20), out, file_format)
    assert not out.exists()
    part.write_bytes(part.read_bytes() + b"half a reco")
    gateway = Gateway([])
    download(gateway, out, file_format)
    [asked] = gateway.asked
    assert int(asked["after_seq"]) > 0
    assert int(asked["up_to_seq"]) == LENGTH
    assert out.read_bytes() == whole(file_format, int(asked["after_seq"]))


def test_a_part_of_another_export_is_not_mixed_in(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(ApiError):
        download(Gateway([300] + [0] * 20), out, action=["DRAFT_PUSHED"])
    with pytest.raises(OtherDownloadError):
        download(Gateway([]), out, action=["DRAFT_APPROVED"])


def test_a_stream_that_just_stops_before_its_end_record_is_no_export(tmp_path: Path) -> None:
    """As behind a proxy that hides the broken connection."""

    def stops(_request: httpx.Request) -> httpx.Response:
        stream = Broken(b"", None, 1)
        return httpx.Response(200, headers={"X-Audit-Up-To-Seq": "9"}, stream=stream)

    with pytest.raises(ApiError, match="without its end record"):
        download(stops, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_refusal_is_told_at_once(tmp_path: Path) -> None:
    asked = []

    def refuses(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(403, json={"detail": "no"})

    with pytest.raises(ApiError, match="no"):
        download(refuses, tmp_path / "out")
    assert len(asked) == 1
