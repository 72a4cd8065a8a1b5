"""Edits by mask: what is named changes, everything else stays."""

import pytest

from countersign.approval.v1 import draft_pb2
from countersign_approval.draft import Issue, Severity
from countersign_approval.draft_content import document_of
from countersign_approval.edit import (
    CONTENT_PATHS,
    LINE_PATHS,
    apply_edit,
    apply_line_edit,
    refuse_unknown_paths,
    resolve_issues,
)
from countersign_core.errors import InvalidRequest, NotFound
from countersign_core.reasons import Reason

OLD = document_of(
    draft_pb2.DraftContent(
        customer={"id": "c-old", "name": "Old"},
        header={"notes": "old", "currency": "EUR"},
        lines=[{"line_no": 1, "qty": "1", "uom": "ST"}, {"line_no": 5, "qty": "5"}],
        source_document={"file_name": "old.pdf"},
    )
)
NEW = document_of(
    draft_pb2.DraftContent(
        customer={"id": "c-new"}, header={"notes": "new"}, lines=[{"line_no": 2, "qty": "2"}]
    )
)


@pytest.mark.parametrize("path", sorted(CONTENT_PATHS))
def test_a_path_changes_its_field_and_no_other(path):
    edited = apply_edit(OLD, NEW, [path])
    part, _, name = path.partition(".")
    assert (edited[part][name] if name else edited[part]) == (
        NEW[part][name] if name else NEW[part]
    )
    restored = apply_edit(edited, OLD, [path])
    assert restored == OLD


def test_an_empty_value_clears_its_field():
    edited = apply_edit(OLD, NEW, ["customer.name", "source_document.file_name"])
    assert edited["customer"] == {"id": "c-old", "erp_customer_number": None, "name": None}
    assert edited["source_document"]["file_name"] is None


def test_an_edit_leaves_the_document_it_was_given_alone():
    before = document_of(draft_pb2.DraftContent(header={"notes": "old"}))
    apply_edit(before, NEW, ["header.notes", "lines"])
    assert before["header"]["notes"] == "old"


@pytest.mark.parametrize("path", sorted(LINE_PATHS))
def test_a_line_path_changes_that_field_of_that_line(path):
    edited = apply_line_edit(OLD, 5, dict.fromkeys(LINE_PATHS, "x"), [path])
    first, second = edited["lines"]
    assert first == OLD["lines"][0]
    assert second == {**OLD["lines"][1], path: "x"}


def test_a_line_that_is_not_there_is_not_found():
    with pytest.raises(NotFound) as refused:
        apply_line_edit(OLD, 2, {"qty": "2"}, ["qty"])
    assert refused.value.reason is Reason.LINE_NOT_FOUND
    assert refused.value.metadata == {"line_no": "2"}


@pytest.mark.parametrize(
    ("paths", "known", "fields"),
    [
        (["header.notes", "header.nope", "version"], CONTENT_PATHS, [1, 2]),
        (["lines[1].qty", "lines.qty", ""], CONTENT_PATHS, [0, 1, 2]),
        (["qty", "line_no"], LINE_PATHS, [1]),
    ],
)
def test_every_unknown_path_is_named(paths, known, fields):
    with pytest.raises(InvalidRequest) as refused:
        refuse_unknown_paths(paths, known)
    found = [error.field for error in refused.value.field_errors]
    assert found == [f"update_mask.paths[{index}]" for index in fields]


def test_the_mask_knows_every_field_of_the_contract():
    parts = {"customer": draft_pb2.Customer, "header": draft_pb2.DraftHeader}
    parts["source_document"] = draft_pb2.SourceDocument
    promised = {
        f"{part}.{field.name}" for part, kind in parts.items() for field in kind.DESCRIPTOR.fields
    }
    assert promised | {"lines", *parts} == CONTENT_PATHS
    line_fields = {field.name for field in draft_pb2.DraftLine.DESCRIPTOR.fields}
    assert line_fields - {"line_no"} == LINE_PATHS


def test_issues_are_resolved_by_id():
    issues = [Issue(name, "C", Severity.ERROR, "", 0, resolved=False) for name in ("a", "b")]
    assert [issue.resolved for issue in resolve_issues(issues, ["b"])] == [False, True]
    with pytest.raises(InvalidRequest) as refused:
        resolve_issues(issues, ["b", "z"])
    assert [error.field for error in refused.value.field_errors] == ["resolve_issue_ids[1]"]
