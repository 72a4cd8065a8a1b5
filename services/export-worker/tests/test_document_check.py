"""Nothing leaves that is not the very document of the very export."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from countersign_core.canonical_json import canonical_json
from countersign_export_worker.assignment import Assignment
from countersign_export_worker.document_check import DocumentCheck
from countersign_export_worker.errors import PermanentDeliveryError
from countersign_export_worker.testing.samples import (
    EXPORT,
    connection_to,
    document_of,
    export_record,
)
from countersign_export_worker.testing.work_twin import WorkTwin

CHECK = DocumentCheck()


async def _assignment(document: bytes | None = None) -> Assignment:
    twin = WorkTwin()
    record = export_record(connection_to(Path("/dropzone")), document=document)
    twin.add(record)
    assignment = await twin.claim_export(record.org_id, record.id)
    assert assignment is not None
    return assignment


async def test_valid_document_passes() -> None:
    """Decimals are strings with every digit, absent values null."""
    CHECK(await _assignment())


def _line(**changes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda document: document["lines"][0].update(changes)


def _without(key: str) -> Callable[[dict[str, Any]], None]:
    return lambda document: document["header"].pop(key)


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (_line(qty=3.5), "qty"),
        (_line(qty=3), "qty"),
        (_line(qty="0.000"), "qty"),
        (_line(qty="3.5\n"), "qty"),
        (_line(unit_price="1e3"), "unit_price"),
        (_line(line_no=1.0), "line_no"),
        (_line(surprise="x"), "surprise"),
        (_without("notes"), "notes"),
        (lambda document: document.update(lines=[]), "lines"),
        (lambda document: document["meta"].update(export_id="not a uuid"), "export_id"),
    ],
)
async def test_document_that_breaks_the_schema_is_refused(
    spoil: Callable[[dict[str, Any]], None], complaint: str
) -> None:
    """The refusal names the place."""
    document = document_of(EXPORT)
    spoil(document)
    with pytest.raises(PermanentDeliveryError, match=complaint) as caught:
        CHECK(await _assignment(json.dumps(document).encode()))
    assert caught.value.code == "BAD_DOCUMENT"
    assert len(caught.value.message) < 1000


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"null",
        b'{"a": NaN}',
        b"[" * 100_000,
        canonical_json(document_of(EXPORT))[:-1] + b',"lines":[]}',
    ],
    ids=["empty", "cut", "not UTF-8", "array", "null", "NaN", "deep", "a key twice"],
)
async def test_what_is_not_one_clean_json_object_is_refused(document: bytes) -> None:
    """No reader of the file shall have to guess."""
    with pytest.raises(PermanentDeliveryError) as caught:
        CHECK(await _assignment(document))
    assert caught.value.code == "BAD_DOCUMENT"


async def test_other_bytes_than_announced_are_refused() -> None:
    """What push built is what leaves."""
    assignment = await _assignment()
    with pytest.raises(PermanentDeliveryError, match="announced"):
        CHECK(replace(assignment, document=assignment.document + b" "))


async def test_other_content_than_approved_is_refused() -> None:
    """What was approved is what is exported."""
    assignment = await _assignment()
    with pytest.raises(PermanentDeliveryError, match="approved"):
        CHECK(replace(assignment, content_sha256="cd" * 32))


@pytest.mark.parametrize("field", ["draft_order_id", "export_id"])
async def test_document_of_another_export_is_refused(field: str) -> None:
    """A mix-up between exports stops here."""
    other = "0192f0c1-0000-7000-8000-00000000dead"
    document = document_of(EXPORT)
    (document["meta"] if field == "export_id" else document)[field] = other
    with pytest.raises(PermanentDeliveryError, match="another export"):
        CHECK(await _assignment(canonical_json(document)))


async def test_check_reads_exactly_the_bytes_that_are_sent() -> None:
    """The digest is of the bytes, not of what they parse to."""
    pretty = json.dumps(document_of(EXPORT), indent=1).encode()
    assignment = await _assignment(pretty)
    assert assignment.document_sha256 == hashlib.sha256(pretty).hexdigest()
    CHECK(assignment)
