"""The export document: its bytes, its schema, and its refusal of other content."""

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from importlib.resources import files
from uuid import UUID

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign_core.canonical_json import canonical_json
from countersign_core.errors import CountersignError
from countersign_core.reasons import Reason
from countersign_push.export_document import ExportFacts, build_document

SCHEMA = json.loads(
    (files("countersign_core") / "schemas" / "orderflow_export_json_v1.schema.json").read_text()
)
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)

CONTENT = {
    "customer": {"id": "c-7", "erp_customer_number": "10042", "name": "Bäckerei Groß"},
    "header": {
        "external_order_number": "PO-1",
        "order_date": "2026-11-20",
        "currency": "EUR",
        "requested_delivery_date": None,
        "notes": 'say "hello" \u2028',
        "ship_to": {"city": "Ulm"},
    },
    "lines": [
        {
            "line_no": 1,
            "internal_sku": "A-1",
            "qty": "12.500",
            "uom": "KG",
            "unit_price": "0.10",
            "currency": None,
            "customer_sku_raw": None,
            "description": "Mehl",
        },
        {
            "line_no": 2,
            "internal_sku": "B-2",
            "qty": "1",
            "uom": "ST",
            "unit_price": None,
            "currency": "USD",
            "customer_sku_raw": "b2",
            "description": None,
        },
    ],
    "source_document": {"document_id": None, "file_name": "po.pdf", "sha256": None},
}

GOLDEN = (
    '{"export_version":"orderflow_export_json_v1","org_slug":"acme",'
    '"draft_order_id":"00000000-0000-4000-8000-000000000001",'
    '"approved_at":"2026-11-23T10:15:00.000250Z",'
    '"customer":{"id":"c-7","erp_customer_number":"10042","name":"Bäckerei Groß"},'
    '"header":{"external_order_number":"PO-1","order_date":"2026-11-20","currency":"EUR",'
    '"requested_delivery_date":null,"notes":"say \\"hello\\" \u2028"},'
    '"lines":[{"line_no":1,"internal_sku":"A-1","qty":"12.500","uom":"KG","unit_price":"0.10",'
    '"currency":"EUR","customer_sku_raw":null,"description":"Mehl"},'
    '{"line_no":2,"internal_sku":"B-2","qty":"1","uom":"ST","unit_price":null,'
    '"currency":"USD","customer_sku_raw":"b2","description":null}],'
    '"meta":{"created_by":"olga","export_id":"00000000-0000-4000-8000-000000000002",'
    '"retry_of":null,"dedup_key":"dedup-1",'
    '"content_sha256":"DIGEST",'
    '"source_document":{"document_id":null,"file_name":"po.pdf","sha256":null}}}\n'
)


def facts_for(text, **changes):
    values = {
        "org_slug": "acme",
        "draft_order_id": UUID("00000000-0000-4000-8000-000000000001"),
        "approved_at": datetime(2026, 11, 23, 10, 15, 0, 250, tzinfo=UTC),
        "created_by": "olga",
        "export_id": UUID("00000000-0000-4000-8000-000000000002"),
        "retry_of": None,
        "dedup_key": "dedup-1",
        "content_sha256": hashlib.sha256(text.encode()).digest(),
    }
    return ExportFacts(**{**values, **changes})


def test_the_document_is_exactly_these_bytes():
    """The golden document: order, spelling, nulls and the header's currency on line 1."""
    text = canonical_json(CONTENT).decode()
    expected = GOLDEN.replace("DIGEST", hashlib.sha256(text.encode()).hexdigest())
    assert build_document(text, facts_for(text)) == expected.encode()


def test_the_same_input_gives_the_same_bytes():
    """A second attempt stages what the first one did, digest and all."""
    text = canonical_json(CONTENT).decode()
    assert build_document(text, facts_for(text)) == build_document(text, facts_for(text))


def test_a_retry_names_the_export_that_it_follows():
    text = canonical_json(CONTENT).decode()
    before = UUID("00000000-0000-4000-8000-000000000009")
    document = json.loads(build_document(text, facts_for(text, retry_of=before)))
    assert document["meta"]["retry_of"] == str(before)


def test_a_preview_has_no_export_id():
    text = canonical_json(CONTENT).decode()
    document = json.loads(build_document(text, facts_for(text, export_id=None)))
    assert document["meta"]["export_id"] is None


def test_the_approval_is_told_in_utc():
    text = canonical_json(CONTENT).decode()
    berlin = datetime(2026, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=1)))
    document = json.loads(build_document(text, facts_for(text, approved_at=berlin)))
    assert document["approved_at"] == "2025-12-31T23:30:00Z"


def test_an_absent_value_is_null_and_never_left_out():
    content = {
        "customer": {"erp_customer_number": "1"},
        "header": {"currency": "EUR"},
        "lines": [{"line_no": 1, "internal_sku": "A", "qty": "1", "uom": "ST"}],
    }
    text = canonical_json(content).decode()
    document = json.loads(build_document(text, facts_for(text)))
    VALIDATOR.validate(document)
    assert document["header"]["notes"] is None
    assert document["lines"][0]["description"] is None
    assert document["meta"]["source_document"] == {
        "document_id": None,
        "file_name": None,
        "sha256": None,
    }


@pytest.mark.parametrize("tampered", [" ", "\u00a0", "0"])
def test_content_that_was_not_approved_does_not_leave(tampered):
    """One character more than was approved, and there is no document."""
    text = canonical_json(CONTENT).decode()
    with pytest.raises(CountersignError) as refused:
        build_document(text + tampered, facts_for(text))
    assert refused.value.reason is Reason.CONTENT_DIGEST_MISMATCH
    assert refused.value.message == "The stored content is not the content that was approved"
    assert refused.value.metadata["approved_sha256"] == facts_for(text).content_sha256.hex()


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=40)
maybe_texts = st.none() | texts
decimals = st.from_regex(r"[0-9]{1,12}(\.[0-9]{1,6})?", fullmatch=True)
quantities = decimals.filter(lambda value: any(digit in "123456789" for digit in value))
dates = st.none() | st.dates().map(str)
currencies = st.from_regex(r"[A-Z]{3}", fullmatch=True)
lines = st.fixed_dictionaries(
    {
        "line_no": st.integers(1, 10_000),
        "internal_sku": texts,
        "qty": quantities,
        "uom": texts,
        "unit_price": st.none() | decimals,
        "currency": st.none() | currencies,
        "customer_sku_raw": maybe_texts,
        "description": maybe_texts,
    }
)
contents = st.fixed_dictionaries(
    {
        "customer": st.fixed_dictionaries(
            {"id": maybe_texts, "erp_customer_number": texts, "name": maybe_texts}
        ),
        "header": st.fixed_dictionaries(
            {
                "external_order_number": maybe_texts,
                "order_date": dates,
                "currency": currencies,
                "requested_delivery_date": dates,
                "notes": maybe_texts,
                "ship_to": st.none(),
            }
        ),
        "lines": st.lists(lines, min_size=1, max_size=5),
        "source_document": st.fixed_dictionaries(
            {
                "document_id": maybe_texts,
                "file_name": maybe_texts,
                "sha256": st.none() | st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
            }
        ),
    }
)


@given(contents)
def test_every_approvable_content_gives_a_valid_document_with_every_digit(content):
    """The schema holds, and no amount is touched on its way."""
    text = canonical_json(content).decode()
    document = json.loads(build_document(text, facts_for(text)))
    VALIDATOR.validate(document)
    for line, source in zip(document["lines"], content["lines"], strict=True):
        assert (line["qty"], line["unit_price"]) == (source["qty"], source["unit_price"])
        assert line["currency"] == (source["currency"] or content["header"]["currency"])
