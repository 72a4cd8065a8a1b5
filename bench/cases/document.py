"""What a document costs: built as push does, checked as a worker does before it is staged."""

import time
from datetime import UTC, datetime
from uuid import UUID

from bench.measure.figures import Round
from bench.measure.rounds import Contender, Result, take_turns
from bench.options import Options
from bench.seed import order
from countersign_core.canonical_json import canonical_json, sha256_hex
from countersign_export_worker.assignment import Assignment, ConnectionAccess, Lease
from countersign_export_worker.document_check import DocumentCheck
from countersign_push.export_document import ExportFacts, build_document

_ORG = UUID(int=1)
_DRAFT = UUID(int=2)
_EXPORT = UUID(int=3)
_COUNT = 40
_LARGE_COUNT = 2
_HEADER = ("external_order_number", "order_date", "currency", "requested_delivery_date", "notes")
_LINE = ("internal_sku", "qty", "uom", "unit_price", "currency", "customer_sku_raw", "description")


async def run(options: Options) -> Result:
    """Orders of 500 lines and of 10 MB; CPU of this process, which does nothing else."""
    result = Result("document", "What does a document cost to build, serialise and check?")
    result.contenders = await take_turns(
        {
            "500 lines": _contender(_content(500), options.size(_COUNT)),
            "10 MB": _contender(_content(10_000, "x" * 850), _LARGE_COUNT),
        },
        rounds=options.rounds,
    )
    seen = result.contenders["500 lines"]
    result.target("500 lines: CPU ms to build, serialise and check", seen.cpu_ms, at_most=30)
    return result


def _contender(content: str, count: int) -> Contender:
    check = DocumentCheck()
    facts = ExportFacts(
        org_slug="bench",
        draft_order_id=_DRAFT,
        approved_at=datetime(2026, 11, 2, tzinfo=UTC),
        created_by="bench",
        export_id=_EXPORT,
        retry_of=None,
        dedup_key="bench",
        content_sha256=bytes.fromhex(sha256_hex(content.encode())),
    )

    async def measured(_number: int) -> Round:
        latencies, used = [], {"build": 0.0, "check": 0.0}
        begun = time.perf_counter()
        for _ in range(count):
            start, cpu = time.perf_counter(), time.process_time()
            document = build_document(content, facts)
            built = time.process_time()
            check(_assignment(document, facts))
            used["build"] += built - cpu
            used["check"] += time.process_time() - built
            latencies.append(1000 * (time.perf_counter() - start))
        return Round(count, 0, time.perf_counter() - begun, latencies, used)

    return measured


def _content(lines: int, description: str = "") -> str:
    body = order(lines)
    texts = {"description": description} if description else {}
    content = {
        "customer": {"id": None, **body["customer"]},
        "header": dict.fromkeys(_HEADER) | body["header"],
        "lines": [dict.fromkeys(_LINE) | line | texts for line in body["lines"]],
        "source_document": dict.fromkeys(("document_id", "file_name", "sha256")),
    }
    return canonical_json(content).decode()


def _assignment(document: bytes, facts: ExportFacts) -> Assignment:
    return Assignment(
        lease=Lease(_ORG, _EXPORT, 1),
        lease_seconds=30,
        attempt=1,
        last_attempt=False,
        draft_order_id=_DRAFT,
        document=document,
        document_sha256=sha256_hex(document),
        content_sha256=facts.content_sha256.hex(),
        file_name="sales_order.json",
        staged_name="",
        connection=ConnectionAccess(UUID(int=4), _ORG, "DROPZONE_JSON_V1", "{}"),
    )
