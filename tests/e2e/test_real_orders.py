"""Real, dirty orders through the command line, all the way into the dropzone."""

import csv
import json
import os
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from system import System
from tenant import Tenant

pytestmark = pytest.mark.e2e

SAMPLE = Path(__file__).parents[3] / "shared" / "data" / "online-retail-sample.csv"
# One invoice in so many; COUNTERSIGN_WHOLE_SAMPLE=1 takes all 12,392, in some four minutes.
EVERY = 1 if os.environ.get("COUNTERSIGN_WHOLE_SAMPLE") == "1" else 5


@pytest.fixture
def source() -> dict[str, list[dict[str, str]]]:
    """Rows of the invoices that are taken, by invoice, in file order."""
    if not SAMPLE.exists():
        pytest.skip("the sample of real orders is not beside this checkout")
    invoices: dict[str, list[dict[str, str]]] = {}
    with SAMPLE.open(newline="", encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            invoices.setdefault(row["InvoiceNo"].strip(), []).append(row)
    return dict(list(invoices.items())[::EVERY])


@pytest.fixture
def orders(source: dict[str, list[dict[str, str]]], tmp_path: Path) -> Path:
    """The same as a file like the sample; the sample itself when all are taken."""
    if EVERY == 1:
        return SAMPLE
    path = tmp_path / "orders.csv"
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        rows = [row for invoice in source.values() for row in invoice]
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return path


def is_ready(rows: list[dict[str, str]]) -> bool:
    return bool(rows[0]["CustomerID"]) and all(Decimal(row["Quantity"]) > 0 for row in rows)


def countersign(system: System, tenant: Tenant, *arguments: str) -> Any:
    """Run the command as an operator would; its JSON."""
    environment = os.environ | {
        "COUNTERSIGN_URL": system.url(),
        "COUNTERSIGN_TOKEN": system.token(tenant.org, "ADMIN"),
    }
    done = subprocess.run(
        [sys.executable, "-m", "countersign_cli", *arguments, "--json"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-1000:]
    return json.loads(done.stdout)


@pytest.mark.timeout(900)
async def test_every_ready_order_of_the_sample_arrives_once_and_to_the_last_digit(
    start_system: Any,
    rabbit: Any,
    redis: Any,
    source: dict[str, list[dict[str, str]]],
    orders: Path,
) -> None:
    """Orders in, READY ones approved and pushed in batches; files, amounts and trail agree."""
    system = await start_system(broker_url=rabbit.url, redis_url=redis.url, workers=2)
    async with system.tenant() as tenant:
        expected = {number: rows for number, rows in source.items() if is_ready(rows)}
        summary = countersign(
            system, tenant, "drafts", "submit", str(orders), "--mapping", "online_retail"
        )
        assert summary["refused"] == []
        assert summary["created"] == len(source)
        assert summary["by_status"] == {
            "READY": len(expected),
            "NEEDS_REVIEW": len(source) - len(expected),
        }
        assert set(summary["needs_review_reasons"]) == {"CUSTOMER_MISSING", "LINE_QTY_NOT_POSITIVE"}

        countersign(system, tenant, "drafts", "approve", "--all-ready")
        countersign(system, tenant, "drafts", "push", "--all-approved")
        await tenant.wait_all("PUSHED", len(expected), seconds=400)

        documents = tenant.documents()
        numbers = Counter(document["header"]["external_order_number"] for document in documents)
        assert numbers == Counter(expected.keys())
        schema = json.loads(
            (
                resources.files("countersign_core")
                / "schemas"
                / "orderflow_export_json_v1.schema.json"
            ).read_text()
        )
        validator = jsonschema.Draft7Validator(schema)
        for document in documents:
            validator.validate(document)
            assert_same_amounts(document, expected[document["header"]["external_order_number"]])

        actions = Counter({"DRAFT_SUBMITTED": len(source), "CONNECTION_CREATED": 1})
        for action in ("DRAFT_APPROVED", "DRAFT_PUSHED", "DRAFT_PUSH_SUCCEEDED"):
            actions[action] = len(expected)
        events = await tenant.wait_audit(sum(actions.values()), seconds=120)
        assert Counter(event["action"] for event in events) == actions


def assert_same_amounts(document: dict[str, Any], rows: list[dict[str, str]]) -> None:
    lines = document["lines"]
    assert [line["internal_sku"] for line in lines] == [row["StockCode"].strip() for row in rows]
    assert [line["qty"] for line in lines] == [row["Quantity"] for row in rows]
    assert [line["unit_price"] for line in lines] == [row["UnitPrice"] for row in rows]
    assert document["customer"]["erp_customer_number"] == rows[0]["CustomerID"].removesuffix(".0")
