"""What an edit changed, small enough for the audit trail: each field with its old and new value.

Paths are `header.notes` and `lines[7].qty`, by line number. An edit of more line fields than
MAX_LINE_FIELDS is told in figures; the contents themselves are kept and can be compared.
"""

from collections.abc import Sequence
from typing import Any

from countersign_approval.draft import Document, Issue

MAX_LINE_FIELDS = 20
MAX_TEXT = 200
MAX_ISSUES = 50

_PARTS = ("customer", "header", "source_document")

Changes = dict[str, tuple[Any, Any]]


def changed_fields(old: Document, new: Document) -> tuple[dict[str, Any], dict[str, Any]]:
    """Old and new values of the fields that differ, by path."""
    changes: Changes = {}
    for part in _PARTS:
        changes |= _differences(part, old[part], new[part])
    changes |= _line_changes(old, new)
    return (
        {path: _short(values[0]) for path, values in changes.items()},
        {path: _short(values[1]) for path, values in changes.items()},
    )


def resolved_issues(old: Sequence[Issue], new: Sequence[Issue]) -> list[str]:
    """Ids of the issues that were resolved, at most MAX_ISSUES."""
    open_before = {issue.id for issue in old if not issue.resolved}
    return [issue.id for issue in new if issue.resolved and issue.id in open_before][:MAX_ISSUES]


def _line_changes(old: Document, new: Document) -> Changes:
    before = {line["line_no"]: line for line in old["lines"]}
    after = {line["line_no"]: line for line in new["lines"]}
    changes: Changes = {}
    for number in sorted(before.keys() | after.keys()):
        changes |= _differences(f"lines[{number}]", before.get(number, {}), after.get(number, {}))
    if len(changes) > MAX_LINE_FIELDS:
        return {"lines": (_figures(before, after), _figures(after, before))}
    return changes


def _differences(path: str, old: dict[str, Any], new: dict[str, Any]) -> Changes:
    return {
        f"{path}.{name}": (old.get(name), new.get(name))
        for name in new | old
        if old.get(name) != new.get(name)
    }


def _figures(lines: dict[int, Any], others: dict[int, Any]) -> dict[str, int]:
    both = lines.keys() & others.keys()
    return {
        "count": len(lines),
        "only_here": len(lines.keys() - others.keys()),
        "differing": sum(lines[number] != others[number] for number in both),
    }


def _short(value: Any) -> Any:
    if isinstance(value, str) and len(value) > MAX_TEXT:
        return f"{value[:MAX_TEXT]}… ({len(value)} characters)"
    return value
