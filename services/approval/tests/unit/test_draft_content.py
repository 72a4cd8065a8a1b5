"""The canonical form: one spelling per content, nothing lost on the way there and back."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.approval.v1 import draft_pb2
from countersign_approval.draft_content import (
    canonical_content,
    document_of,
    message_of,
    read_document,
)
from countersign_core.errors import InvalidRequest

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
decimals = st.from_regex(r"-?[0-9]{1,12}(\.[0-9]{1,6})?", fullmatch=True) | st.just("")
dates = st.dates().map(str) | st.just("")


@st.composite
def contents(draw):
    numbers = draw(st.lists(st.integers(1, 100000), unique=True, max_size=5))
    return draft_pb2.DraftContent(
        customer={name: draw(texts) for name in ("id", "erp_customer_number", "name")},
        header={
            "external_order_number": draw(texts),
            "order_date": draw(dates),
            "currency": draw(st.sampled_from(["", "EUR", "USD"])),
            "requested_delivery_date": draw(dates),
            "notes": draw(texts),
            "ship_to": draw(texts),
        },
        lines=[
            {
                "line_no": number,
                "internal_sku": draw(texts),
                "qty": draw(decimals),
                "uom": draw(texts),
                "unit_price": draw(decimals),
                "currency": draw(st.sampled_from(["", "EUR"])),
                "customer_sku_raw": draw(texts),
                "description": draw(texts),
            }
            for number in numbers
        ],
        source_document={name: draw(texts) for name in ("document_id", "file_name", "sha256")},
    )


@given(contents())
def test_a_content_survives_the_way_through_its_text(message):
    first = canonical_content(document_of(message))
    again = document_of(message_of(read_document(first.text)))
    assert again == first.document
    assert canonical_content(again).sha256 == first.sha256
    assert first.sha256 == hashlib.sha256(first.text.encode()).digest()


@given(contents(), st.randoms())
def test_neither_the_order_of_lines_nor_blanks_around_texts_change_the_digest(message, random):
    other = draft_pb2.DraftContent()
    other.CopyFrom(message)
    lines = list(other.lines)
    random.shuffle(lines)
    del other.lines[:]
    other.lines.extend(lines)
    other.customer.name = f"  {message.customer.name}\t"
    assert (
        canonical_content(document_of(other)).sha256
        == canonical_content(document_of(message)).sha256
    )


@given(contents(), st.sampled_from(["qty", "unit_price", "description"]))
def test_any_other_value_gives_another_digest(message, name):
    message.lines.add(line_no=100001)
    before = canonical_content(document_of(message)).sha256
    setattr(message.lines[-1], name, "1.0")
    one = canonical_content(document_of(message)).sha256
    setattr(message.lines[-1], name, "1.00")
    other = canonical_content(document_of(message)).sha256
    assert len({before, one, other}) == 3


def test_the_document_has_every_key_and_null_for_what_is_not_known():
    document = document_of(draft_pb2.DraftContent(lines=[{"line_no": 3, "qty": "2.50"}]))
    assert document == {
        "customer": {"id": None, "erp_customer_number": None, "name": None},
        "header": {
            "external_order_number": None,
            "order_date": None,
            "currency": None,
            "requested_delivery_date": None,
            "notes": None,
            "ship_to": None,
        },
        "lines": [
            {
                "line_no": 3,
                "internal_sku": None,
                "qty": "2.50",
                "uom": None,
                "unit_price": None,
                "currency": None,
                "customer_sku_raw": None,
                "description": None,
            }
        ],
        "source_document": {"document_id": None, "file_name": None, "sha256": None},
    }


def test_the_canonical_text_is_known_to_the_last_byte():
    content = canonical_content(document_of(draft_pb2.DraftContent(customer={"name": " Zoë "})))
    assert content.text == (
        '{"customer":{"erp_customer_number":null,"id":null,"name":"Zoë"},"header":{"currency":null,'
        '"external_order_number":null,"notes":null,"order_date":null,'
        '"requested_delivery_date":null,"ship_to":null},"lines":[],'
        '"source_document":{"document_id":null,"file_name":null,"sha256":null}}'
    )


def test_every_malformed_field_is_named_at_once():
    message = draft_pb2.DraftContent(
        customer={"name": "a\0b"},
        header={"order_date": "2026-02-30", "requested_delivery_date": "0000-01-01"},
        lines=[{"line_no": 2}, {"line_no": 2}, {"line_no": 0}, {"line_no": 3, "uom": "\0"}],
    )
    with pytest.raises(InvalidRequest) as refused:
        document_of(message)
    assert [error.field for error in refused.value.field_errors] == [
        "content.customer.name",
        "content.header.order_date",
        "content.header.requested_delivery_date",
        "content.lines[1].line_no",
        "content.lines[2].line_no",
        "content.lines[3].uom",
    ]


def test_a_leap_day_is_a_day():
    document = document_of(draft_pb2.DraftContent(header={"order_date": "2028-02-29"}))
    assert document["header"]["order_date"] == "2028-02-29"
