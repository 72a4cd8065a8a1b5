"""The page's tables are the recorded runs, added up."""

import json
from pathlib import Path

import pytest

from countersign_chaos.checker.finding import Kind
from countersign_chaos.figures import Figures
from countersign_chaos.record import record, write_tables
from countersign_chaos.run import Options, Outcome
from countersign_chaos.soak import Growth

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"


def outcome(seed: int, pushes: int, heal: float, **found: int) -> Outcome:
    figures = Figures(rounds=1, pushes=pushes, settle_seconds=[12.0])
    figures.kills["worker"] = 7
    figures.healed("worker kill", heal)
    figures.found.update({kind.replace("_", " "): count for kind, count in found.items()})
    return Outcome(seed, Path("/nowhere"), figures)


@pytest.fixture
def page(tmp_path: Path) -> Path:
    copy = tmp_path / "faults.md"
    copy.write_text(PAGE.read_text())
    return copy


def test_runs_add_up(page: Path) -> None:
    record(outcome(1, 1000, 2.0), page, Options(seed=0, seconds=5 * 60.0), without=None)
    record(outcome(2, 500, 4.0), page, Options(seed=0, seconds=5 * 60.0), without=None)
    text = page.read_text()
    assert "| 1 | 5 | 1,000 |" in text
    assert "| **all** | 10 | 1,500 | 0 | 0 | 14 | 0 | 0 | 0 | 0 | 0 | 12 s |" in text
    assert "| worker kill | 2 | 3.0 s | 4.0 s |" in text
    lines = page.with_suffix(".jsonl").read_text().splitlines()
    seeds = [json.loads(line)["seed"] for line in lines]
    assert seeds == [1, 2]


def test_a_run_without_a_protection_stands_with_the_protections_alone(page: Path) -> None:
    record(
        outcome(3, 100, 1.0, doubled=2),
        page,
        Options(seed=0, seconds=1 * 60.0),
        without="staged-report",
    )
    text = page.read_text()
    assert "| seed 3, 1 min | doubled 2 |" in text
    assert "**all**" not in text


def test_a_soak_stands_with_what_each_process_held_and_in_no_sum(page: Path) -> None:
    soaked = outcome(7, 900, 1.0)
    for what, later in (
        ("memory", 200.0 * 2**20),
        ("connections", 9),
        ("files", 40),
        ("threads", 6),
    ):
        soaked.growths.append(
            Growth("push-1", what, 100.0 * 2**20 if what == "memory" else 8, later)
        )
    record(soaked, page, Options(seed=0, seconds=30 * 60.0, soak=True), without=None)
    text = page.read_text()
    assert "| push-1 | 100.0 → 200.0 | 8.0 → 9.0 | 8.0 → 40.0 | 8.0 → 6.0 | **grows** |" in text
    assert "30 minutes, 900 pushes" in text
    assert "**all**" not in text


def test_a_run_whose_finding_was_mended_stands_in_no_sum(page: Path) -> None:
    record(outcome(8, 700, 1.0, crash=1), page, Options(seed=0, seconds=60.0), without=None)
    runs = page.with_suffix(".jsonl")
    runs.write_text(
        json.dumps(json.loads(runs.read_text()) | {"mended": "a bare Exception"}) + "\n"
    )
    write_tables(page)
    text = page.read_text()
    assert "| 8 | 700 | 7 | crash 1 | a bare Exception |" in text
    assert "**all**" not in text


def test_a_redundant_protection_says_what_makes_it_so(page: Path) -> None:
    record(
        outcome(4, 100, 1.0), page, Options(seed=0, seconds=1 * 60.0), without="publisher-confirms"
    )
    assert "nothing: the record in push says what is due" in page.read_text()


def test_a_miss_is_called_one(page: Path) -> None:
    record(outcome(5, 100, 1.0), page, Options(seed=0, seconds=1 * 60.0), without="outbox")
    assert "nothing: MISSED" in page.read_text()


def test_every_kind_of_finding_has_a_place_in_the_table(page: Path) -> None:
    found = {kind.value.replace(" ", "_"): 1 for kind in Kind}
    record(outcome(6, 1, 1.0, **found), page, Options(seed=0, seconds=1 * 60.0), without=None)
    others = len(Kind) - 4
    assert f"| 1 | 1 | 1 | 1 | {others} | 12 s |" in page.read_text()
