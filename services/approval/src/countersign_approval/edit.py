"""An edit as a pure change: which paths of a document take which new values."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from countersign_approval.draft import Document, Issue
from countersign_approval.draft_content import (
    CUSTOMER_FIELDS,
    HEADER_FIELDS,
    LINE_FIELDS,
    SOURCE_DOCUMENT_FIELDS,
)
from countersign_core.errors import FieldError, InvalidRequest, NotFound
from countersign_core.reasons import Reason

_PARTS = {
    "customer": CUSTOMER_FIELDS,
    "header": HEADER_FIELDS,
    "source_document": SOURCE_DOCUMENT_FIELDS,
}
_LINES = "lines"

# What an edit's mask may name. The name of a part alone stands for all of its fields.
CONTENT_PATHS = frozenset(
    {_LINES, *_PARTS, *(f"{part}.{name}" for part, names in _PARTS.items() for name in names)}
)
LINE_PATHS = frozenset(LINE_FIELDS)


def refuse_unknown_paths(paths: Sequence[str], known: Collection[str]) -> None:
    """Returns when every path is known.

    Raises:
        InvalidRequest: names every path that is not.
    """
    errors = [
        FieldError(f"update_mask.paths[{index}]", f'"{path}" is not a field that can be edited')
        for index, path in enumerate(paths)
        if path not in known
    ]
    if errors:
        raise InvalidRequest(errors)


def apply_edit(document: Document, values: Document, paths: Iterable[str]) -> Document:
    """`document` with the fields that `paths` (of CONTENT_PATHS) name taken from `values`."""
    edited = {part: dict(document[part]) for part in _PARTS} | {_LINES: document[_LINES]}
    for path in paths:
        part, _, name = path.partition(".")
        if name:
            edited[part][name] = values[part][name]
        else:
            edited[part] = values[part]
    return edited


def apply_line_edit(
    document: Document, line_no: int, values: Mapping[str, Any], paths: Iterable[str]
) -> Document:
    """`document` with the fields of one line that `paths` (of LINE_PATHS) name from `values`.

    Raises:
        NotFound: LINE_NOT_FOUND.
    """
    taken = {name: values[name] for name in paths}
    lines = [{**line, **taken} if line["line_no"] == line_no else line for line in document[_LINES]]
    if not any(line["line_no"] == line_no for line in lines):
        raise NotFound(Reason.LINE_NOT_FOUND, "Line not found", line_no=str(line_no))
    return {**document, _LINES: lines}


def resolve_issues(issues: Sequence[Issue], ids: Sequence[str]) -> tuple[Issue, ...]:
    """`issues` with those named by `ids` resolved.

    Raises:
        InvalidRequest: names every id that is no issue of the draft.
    """
    known = {issue.id for issue in issues}
    errors = [
        FieldError(f"resolve_issue_ids[{index}]", "is not an issue of this draft")
        for index, wanted in enumerate(ids)
        if wanted not in known
    ]
    if errors:
        raise InvalidRequest(errors)
    named = set(ids)
    return tuple(replace(issue, resolved=True) if issue.id in named else issue for issue in issues)
