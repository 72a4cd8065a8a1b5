"""The schema of the export document is in the package, sound, and strict."""

import json
from importlib import resources

import pytest
from jsonschema import Draft7Validator

SCHEMA = json.loads(
    resources.files("countersign_core")
    .joinpath("schemas/orderflow_export_json_v1.schema.json")
    .read_text(encoding="utf-8")
)


def objects_of(schema, path="$"):
    """Every object schema in it, with where it stands."""
    if isinstance(schema, dict):
        if "properties" in schema:
            yield path, schema
        for key, value in schema.items():
            yield from objects_of(value, f"{path}.{key}")
    elif isinstance(schema, list):
        for index, value in enumerate(schema):
            yield from objects_of(value, f"{path}[{index}]")


def test_the_schema_is_a_schema():
    Draft7Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    ("path", "schema"), list(objects_of(SCHEMA)), ids=[path for path, _ in objects_of(SCHEMA)]
)
def test_no_object_of_it_lets_unknown_fields_in_or_known_ones_out(path, schema):
    """Absent values are null, not left out; a misspelled field is an error."""
    assert schema.get("additionalProperties") is False
    assert set(schema["required"]) == set(schema["properties"])


def test_no_value_of_it_may_be_a_float():
    assert '"number"' not in json.dumps(SCHEMA)


def document() -> dict:
    return {
        "export_version": "orderflow_export_json_v1",
        "org_slug": "acme",
        "draft_order_id": "0d9a7a2c-70a3-45bb-9b0f-6d2f5a7c1e01",
        "approved_at": "2026-03-04T05:06:07.890000Z",
        "customer": {"id": None, "erp_customer_number": "4711", "name": "Müller GmbH"},
        "header": {
            "external_order_number": "PO-1",
            "order_date": "2026-03-01",
            "currency": "EUR",
            "requested_delivery_date": None,
            "notes": None,
        },
        "lines": [
            {
                "line_no": 1,
                "internal_sku": "A-1",
                "qty": "1.500",
                "uom": "PCE",
                "unit_price": "19.90",
                "currency": "EUR",
                "customer_sku_raw": None,
                "description": "A thing",
            }
        ],
        "meta": {
            "created_by": "anna",
            "export_id": "9b2e6c10-2f3e-4a51-8a3d-0c5a4b7d2e02",
            "retry_of": None,
            "dedup_key": "k",
            "content_sha256": "a" * 64,
            "source_document": {"document_id": None, "file_name": None, "sha256": None},
        },
    }


def is_valid(value) -> bool:
    return Draft7Validator(SCHEMA).is_valid(value)


def test_a_whole_document_is_valid():
    assert is_valid(document())


SPOILED = {
    "a float for a quantity": lambda d: d["lines"][0].update(qty=1.5),
    "a number for a price": lambda d: d["lines"][0].update(unit_price=19),
    "nothing ordered": lambda d: d["lines"][0].update(qty="0.000"),
    "a negative quantity": lambda d: d["lines"][0].update(qty="-1"),
    "an exponent": lambda d: d["lines"][0].update(qty="1e3"),
    "no lines": lambda d: d.update(lines=[]),
    "an absent value left out": lambda d: d["header"].pop("notes"),
    "an empty text for an absent value": lambda d: d["header"].update(notes=""),
    "a field nobody knows": lambda d: d["meta"].update(secret="x"),
    "a currency in lower case": lambda d: d["header"].update(currency="eur"),
    "another version": lambda d: d.update(export_version="orderflow_export_json_v2"),
    "no customer number": lambda d: d["customer"].update(erp_customer_number=None),
    "a time with an offset": lambda d: d.update(approved_at="2026-03-04T05:06:07+01:00"),
    "an upper-case digest": lambda d: d["meta"].update(content_sha256="A" * 64),
}


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED)
def test_a_spoiled_document_is_refused(spoil):
    spoiled = document()
    spoil(spoiled)
    assert not is_valid(spoiled)
