"""What goes on record about an edit: each field, and never megabytes."""

from countersign.approval.v1 import draft_pb2
from countersign_approval.draft import Issue, Severity
from countersign_approval.draft_content import document_of
from countersign_approval.edit_trace import MAX_LINE_FIELDS, changed_fields, resolved_issues
from countersign_core.canonical_json import canonical_json


def document(*lines: dict, **header: str) -> dict:
    return document_of(draft_pb2.DraftContent(header=header, lines=lines))


def test_each_changed_field_stands_with_its_old_and_new_value():
    before = document({"line_no": 1, "qty": "1"}, {"line_no": 2, "qty": "9"}, notes="old")
    after = document({"line_no": 1, "qty": "1"}, {"line_no": 2, "qty": "2"}, ship_to="here")
    assert changed_fields(before, after) == (
        {"header.notes": "old", "header.ship_to": None, "lines[2].qty": "9"},
        {"header.notes": None, "header.ship_to": "here", "lines[2].qty": "2"},
    )


def test_lines_that_came_or_went_are_told_by_their_fields():
    before = document({"line_no": 1, "uom": "ST"})
    after = document({"line_no": 2, "qty": "3"})
    old, new = changed_fields(before, after)
    assert old == {"lines[1].line_no": 1, "lines[1].uom": "ST"} | dict.fromkeys(
        ["lines[2].line_no", "lines[2].qty"]
    )
    assert new == {"lines[2].line_no": 2, "lines[2].qty": "3"} | dict.fromkeys(
        ["lines[1].line_no", "lines[1].uom"]
    )


def test_an_equal_document_changes_nothing():
    assert changed_fields(document(notes="a"), document(notes="a")) == ({}, {})


def test_many_changed_lines_are_told_in_figures():
    count = MAX_LINE_FIELDS + 1
    before = document(*({"line_no": number + 1, "qty": "1"} for number in range(count)))
    after = document(*({"line_no": number + 2, "qty": "2"} for number in range(count)))
    old, new = changed_fields(before, after)
    assert old == {"lines": {"count": count, "only_here": 1, "differing": count - 1}}
    assert new == {"lines": {"count": count, "only_here": 1, "differing": count - 1}}


def test_the_largest_edit_is_still_small():
    long = "x" * 4000
    before = document(*({"line_no": number + 1, "qty": "1"} for number in range(5000)))
    after = document(*({"line_no": n + 1} for n in range(5000)), notes=long, ship_to=long)
    assert sum(len(canonical_json(side)) for side in changed_fields(before, after)) < 2000


def test_resolved_are_those_that_were_open():
    def issue(name: str, *, resolved: bool) -> Issue:
        return Issue(name, "C", Severity.ERROR, "", 0, resolved)

    before = [issue("a", resolved=False), issue("b", resolved=True), issue("c", resolved=False)]
    after = [issue("a", resolved=True), issue("b", resolved=True), issue("c", resolved=False)]
    assert resolved_issues(before, after) == ["a"]
