"""Keeps every recorded run as one JSON line, and the tables of docs/faults.md equal to them.

A run that found a fault of the product is given, by hand, a `mended` that says what it was: it then
stands in a table of its own, and what the mended product did in the sums.
"""

import json
import statistics
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from countersign_chaos.run import Options, Outcome
from countersign_chaos.sabotage.trials import TRIALS
from countersign_chaos.soak import change, growth_rows

_SUMS = ("pushes", "files", "audit_events", "kills_in_total")
_MUST_BE_ZERO = ("lost", "doubled", "stuck", "audit gap")
_HEADS = (
    *("seed", "minutes", "pushes", "files", "audit events", "kills"),
    *("lost", "doubled", "stuck", "audit gaps", "else", "settled after, worst"),
)
Line = dict[str, Any]


def record(outcome: Outcome, page: Path, options: Options, *, without: str | None) -> None:
    """Append the run to `page`'s runs (same name, .jsonl) and write its tables anew.

    Raises:
        ValueError: the page lacks a table's marks.
    """
    runs = page.with_suffix(".jsonl")
    line = {
        "seed": outcome.seed,
        "minutes": round(options.seconds / 60, 2),
        "round_seconds": options.round_seconds,
        "operators": options.operators,
        "without": without,
        **outcome.figures.as_json(),
        "heals": {
            kind: [round(each, 2) for each in values]
            for kind, values in sorted(outcome.figures.heal_seconds.items())
        },
    }
    if options.soak:
        line["growth"] = growth_rows(outcome.growths)
    with runs.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, sort_keys=True) + "\n")
    write_tables(page)


def write_tables(page: Path) -> None:
    """Write the tables of `page` anew from its runs.

    Raises:
        ValueError: the page lacks a table's marks.
    """
    runs = page.with_suffix(".jsonl")
    lines = [json.loads(each) for each in runs.read_text(encoding="utf-8").splitlines()]
    text = page.read_text(encoding="utf-8")
    soaks = [each for each in lines if "growth" in each]
    mended = [each for each in lines if "mended" in each]
    apart = [*soaks, *mended]
    whole = [each for each in lines if each["without"] is None and each not in apart]
    for name, table in (
        ("runs", _runs_table(whole)),
        ("kills", _kills_table(whole)),
        ("heals", _heals_table(whole)),
        ("protections", _protections_table(lines)),
        ("mended", _mended_table(mended)),
        ("soak", _soak_table(soaks)),
    ):
        text = _with_table(text, name, table)
    page.write_text(text, encoding="utf-8")


def _with_table(text: str, name: str, table: Iterable[str]) -> str:
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    if begin not in text or end not in text:
        raise ValueError(f"the page has no marks for {name}")
    head, _, rest = text.partition(begin)
    _, _, tail = rest.partition(end)
    return head + begin + "\n".join(table) + "\n" + end + tail


def _runs_table(lines: list[Line]) -> Iterable[str]:
    yield f"| {' | '.join(_HEADS)} |"
    yield "| --- " * len(_HEADS) + "|"
    for line in lines:
        yield _run_row(str(line["seed"]), line["minutes"], [line])
    if lines:
        yield _run_row("**all**", sum(line["minutes"] for line in lines), lines)


def _run_row(name: str, minutes: float, lines: list[Line]) -> str:
    sums = [f"{sum(line[each] for line in lines):,}" for each in _SUMS]
    found: Counter[str] = Counter()
    for line in lines:
        found.update(line["found"])
    zeros = [str(found.pop(kind)) for kind in _MUST_BE_ZERO]
    settled = max(max(line["settle_seconds"], default=0.0) for line in lines)
    cells = [name, f"{minutes:g}", *sums, *zeros, str(found.total()), f"{settled:.0f} s"]
    return f"| {' | '.join(cells)} |"


def _kills_table(lines: list[Line]) -> Iterable[str]:
    yield "| what | times |"
    yield "| --- | --- |"
    for member in ("kills", "faults"):
        counts: Counter[str] = Counter()
        for line in lines:
            counts.update(line[member])
        for kind, count in sorted(counts.items()):
            yield f"| {f'kill of {kind}' if member == 'kills' else kind} | {count:,} |"


def _heals_table(lines: list[Line]) -> Iterable[str]:
    yield "| fault | times | median | worst |"
    yield "| --- | --- | --- | --- |"
    heals: dict[str, list[float]] = {}
    for line in lines:
        for kind, values in line["heals"].items():
            heals.setdefault(kind, []).extend(values)
    for kind, values in sorted(heals.items()):
        median, worst = statistics.median(values), max(values)
        yield f"| {kind} | {len(values)} | {median:.1f} s | {worst:.1f} s |"


def _protections_table(lines: list[Line]) -> Iterable[str]:
    yield "| `--without` | what is switched off | run | found, or why nothing can be |"
    yield "| --- | --- | --- | --- |"
    for name, trial in TRIALS.items():
        tried = [line for line in lines if line["without"] == name]
        if not tried:
            yield f"| {name} | {trial.protection} | not yet | |"
            continue
        # Whatever came after a run that found something does not make it unfound.
        line = next((each for each in tried if sum(each["found"].values())), tried[-1])
        told = _found(line) or f"nothing: {trial.redundant or 'MISSED'}"
        run = f"seed {line['seed']}, {line['minutes']:g} min"
        yield f"| {name} | {trial.protection} | {run} | {told} |"


def _mended_table(lines: list[Line]) -> Iterable[str]:
    """Runs that found a fault of the product, which their `mended` tells of."""
    yield "| seed | pushes | kills | found | what it was |"
    yield "| --- | --- | --- | --- | --- |"
    for line in lines:
        found = _found(line)
        pushes, kills = line["pushes"], line["kills_in_total"]
        yield f"| {line['seed']} | {pushes:,} | {kills:,} | {found} | {line['mended']} |"


def _found(line: Line) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in line["found"].items() if count)


def _soak_table(lines: list[Line]) -> Iterable[str]:
    """Of the last soak."""
    yield "| process | memory, MiB | connections | open files | threads | |"
    yield "| --- | --- | --- | --- | --- | --- |"
    if not lines:
        return
    rows = {(each["process"], each["what"]): each for each in lines[-1]["growth"]}
    for process in sorted({process for process, _ in rows}):
        mine = [rows[process, what] for what in ("memory", "connections", "files", "threads")]
        cells = [
            process,
            *(change(each["what"], each["earlier"], each["later"]) for each in mine),
            "flat" if all(each["flat"] for each in mine) else "**grows**",
        ]
        yield f"| {' | '.join(cells)} |"
    line = lines[-1]
    yield ""
    yield f"Seed {line['seed']}, {line['minutes']:g} minutes, {line['pushes']:,} pushes, no faults."
