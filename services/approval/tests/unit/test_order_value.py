"""Order values are exact, whatever the number of digits."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign_approval.order_value import decimal_text, total_value
from countersign_approval.search_fields import search_fields

decimals = st.from_regex(r"-?[0-9]{1,12}(\.[0-9]{1,6})?", fullmatch=True)
lines = st.lists(
    st.fixed_dictionaries({"qty": decimals | st.none(), "unit_price": decimals | st.none()})
)


@given(lines)
def test_the_total_equals_that_of_fractions(found):
    exact = sum(
        (
            Fraction(line["qty"]) * Fraction(line["unit_price"])
            for line in found
            if line["qty"] and line["unit_price"]
        ),
        Fraction(0),
    )
    assert Fraction(total_value(found)) == exact


def test_a_hundred_thousand_of_the_largest_lines_still_add_up():
    largest = {"qty": "999999999999.999999", "unit_price": "999999999999.999999"}
    total = total_value([largest] * 100_000)
    assert Fraction(total) == Fraction("999999999999.999999") ** 2 * 100_000


@pytest.mark.parametrize(
    ("qty", "price", "text"),
    [
        ("2", "4.15", "8.30"),
        ("0.125", "1044.10", "130.51250"),
        ("-1", "12.75", "-12.75"),
        ("-0", "0.00", "0.00"),
        ("0.000001", "0.000001", "0.000000000001"),
    ],
)
def test_a_total_is_written_in_plain_digits(qty, price, text):
    assert decimal_text(total_value([{"qty": qty, "unit_price": price}])) == text


def test_an_order_without_lines_is_worth_nothing():
    assert decimal_text(total_value([])) == "0"


def test_the_search_fields_are_those_of_the_content():
    document = {
        "customer": {"id": "c", "erp_customer_number": "10042", "name": "Zoë"},
        "header": {"external_order_number": "PO", "order_date": "2026-03-01", "currency": "EUR"},
        "lines": [{"qty": "2", "unit_price": "1.50"}, {"qty": None, "unit_price": "9"}],
    }
    found = search_fields(document)
    assert (found.erp_customer_number, found.customer_name) == ("10042", "Zoë")
    assert (found.external_order_number, str(found.order_date)) == ("PO", "2026-03-01")
    assert (found.currency, found.total_value, found.line_count) == ("EUR", Decimal("3.00"), 2)
