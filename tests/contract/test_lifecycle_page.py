"""docs/lifecycle.md draws what countersign_core.lifecycle decides."""

import re
from pathlib import Path

import pytest

from countersign_core.lifecycle import (
    DRAFT_TRANSITIONS,
    EXPORT_TRANSITIONS,
    DraftStatus,
    ExportStatus,
)

PAGE = (Path(__file__).parents[2] / "docs" / "lifecycle.md").read_text(encoding="utf-8")
EDGE = re.compile(r"^\s*(\S+) --> (\w+|\[\*\])(?:: .+)?$")
OUTSIDE = "[*]"

DRAFTS = pytest.param("Draft orders", DraftStatus, DRAFT_TRANSITIONS, "NEW", id="drafts")
EXPORTS = pytest.param("Exports", ExportStatus, EXPORT_TRANSITIONS, "PENDING", id="exports")
both = pytest.mark.parametrize(("heading", "states", "transitions", "first"), [DRAFTS, EXPORTS])


def section(heading: str) -> str:
    """The text under a heading, up to the next one."""
    (text,) = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    return text


def edges(heading: str) -> list[tuple[str, str]]:
    """The arrows of the diagram; a line that is none of ours fails the test."""
    (diagram,) = re.findall(r"```mermaid\nstateDiagram-v2\n(.*?)```", section(heading), re.DOTALL)
    matches = [EDGE.match(line) for line in diagram.splitlines()]
    assert all(matches), "a line of the diagram is no arrow"
    return [(match[1], match[2]) for match in matches]


@both
def test_the_arrows_are_the_legal_moves(heading, states, transitions, first):
    legal = {(source, target) for source, targets in transitions.items() for target in targets}
    drawn = [edge for edge in edges(heading) if OUTSIDE not in edge]
    assert set(drawn) == legal
    assert len(drawn) == len(legal)


@both
def test_beginning_and_ends_are_drawn(heading, states, transitions, first):
    drawn = edges(heading)
    assert [target for source, target in drawn if source == OUTSIDE] == [first]
    final = {state for state, targets in transitions.items() if not targets}
    assert {source for source, target in drawn if target == OUTSIDE} == final


@both
def test_every_state_is_explained_in_the_order_of_the_enum(heading, states, transitions, first):
    explained = re.findall(r"^- \*\*(\w+)\*\*: ", section(heading), re.MULTILINE)
    assert explained == [state.value for state in states]
