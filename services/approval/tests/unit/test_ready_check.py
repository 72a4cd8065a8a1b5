"""The ready check: each rule alone, and all of them at once."""

from copy import deepcopy

import pytest

from countersign_approval.currencies import CURRENCIES
from countersign_approval.draft import Issue, Severity
from countersign_approval.ready_check import MAX_REASONS, blocking_reasons, status_after_check
from countersign_core.lifecycle import DraftStatus

LINE = {
    "line_no": 1,
    "internal_sku": "SKU",
    "qty": "0.001",
    "uom": "ST",
    "unit_price": None,
    "currency": None,
    "customer_sku_raw": None,
    "description": None,
}
READY = {
    "customer": {"id": None, "erp_customer_number": "10042", "name": None},
    "header": {"currency": "EUR"},
    "lines": [LINE],
}


def changed(path: str, value: object) -> dict:
    document = deepcopy(READY)
    *parents, name = path.split(".")
    target = document
    for parent in parents:
        target = target[int(parent)] if parent.isdigit() else target[parent]
    target[name] = value
    return document


def issue(severity: Severity = Severity.ERROR, *, resolved: bool = False) -> Issue:
    return Issue("i", "SKU_UNMATCHED", severity, "No such article", 3, resolved)


def test_nothing_blocks_a_complete_order():
    assert blocking_reasons(READY, []) == ()
    assert status_after_check(()) is DraftStatus.READY


@pytest.mark.parametrize(
    ("path", "value", "code", "line_no"),
    [
        ("customer.erp_customer_number", None, "CUSTOMER_MISSING", 0),
        ("header.currency", None, "CURRENCY_MISSING", 0),
        ("header.currency", "QQQ", "CURRENCY_UNKNOWN", 0),
        ("header.currency", "XXX", "CURRENCY_UNKNOWN", 0),
        ("lines", [], "NO_LINES", 0),
        ("lines.0.qty", None, "LINE_QTY_MISSING", 1),
        ("lines.0.qty", "0", "LINE_QTY_NOT_POSITIVE", 1),
        ("lines.0.qty", "-0.000", "LINE_QTY_NOT_POSITIVE", 1),
        ("lines.0.qty", "-1", "LINE_QTY_NOT_POSITIVE", 1),
        ("lines.0.uom", None, "LINE_UOM_MISSING", 1),
        ("lines.0.internal_sku", None, "LINE_SKU_MISSING", 1),
    ],
)
def test_each_rule_blocks_alone(path, value, code, line_no):
    (reason,) = blocking_reasons(changed(path, value), [])
    assert (reason.code, reason.line_no) == (code, line_no)
    assert reason.message
    assert status_after_check([reason]) is DraftStatus.NEEDS_REVIEW


@pytest.mark.parametrize(
    ("path", "value"),
    [("customer.name", None), ("lines.0.unit_price", None), ("lines.0.unit_price", "-5")],
)
def test_what_no_rule_names_does_not_block(path, value):
    assert blocking_reasons(changed(path, value), []) == ()


def test_only_an_open_error_blocks():
    harmless = [issue(Severity.INFO), issue(Severity.WARNING), issue(resolved=True)]
    assert blocking_reasons(READY, harmless) == ()
    (reason,) = blocking_reasons(READY, [*harmless, issue()])
    assert (reason.code, reason.message, reason.line_no) == ("OPEN_ISSUE", "No such article", 3)


def test_reasons_come_from_the_top_of_the_order_down():
    lines = [{**LINE, "line_no": 7, "qty": None, "uom": None}, {**LINE, "line_no": 9, "qty": "0"}]
    document = {**changed("header.currency", None), "lines": lines}
    found = [(reason.code, reason.line_no) for reason in blocking_reasons(document, [issue()])]
    assert found == [
        ("CURRENCY_MISSING", 0),
        ("LINE_QTY_MISSING", 7),
        ("LINE_UOM_MISSING", 7),
        ("LINE_QTY_NOT_POSITIVE", 9),
        ("OPEN_ISSUE", 3),
    ]


@pytest.mark.parametrize(("lines", "listed"), [(MAX_REASONS, 0), (MAX_REASONS + 1, 1)])
def test_a_long_list_of_reasons_ends_with_the_news_that_there_are_more(lines, listed):
    document = {**READY, "lines": [{**LINE, "uom": None}] * lines}
    found = blocking_reasons(document, [])
    assert len(found) == MAX_REASONS + listed
    assert [reason.code for reason in found].count("MORE_REASONS") == listed


def test_currencies_are_codes_of_three_letters_and_hold_the_common_ones():
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in CURRENCIES)
    assert {"EUR", "USD", "GBP", "CHF", "JPY", "CNY", "XCG", "ZWG"} <= CURRENCIES
    assert not {"XXX", "XTS", "DEM", "BTC"} & CURRENCIES
