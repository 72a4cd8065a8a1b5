"""RESULTS.md from the figures of the last runs."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.measure.rounds import Result

_HEAD = """# Results

Made by `make bench` and by nothing else. Contenders of one table took turns in the same run;
each figure is the median of its rounds. Absolute figures belong to this machine and this hour,
ratios are what to compare. *spread* is the distance of the outermost rounds, as a share of the
median throughput; *CPU* is milliseconds per request of all processes of that contender, the
load's own process apart.
"""

_COLUMNS = (
    "| | per second | p50 ms | p95 ms | p99 ms | CPU ms | of it | resident MiB | spread | errors |"
)


def write(results: Path, report: Path) -> None:
    """All of `results`/*.json, in the order of their names."""
    parts = [_HEAD]
    parts += [_section(json.loads(path.read_text())) for path in sorted(results.glob("*.json"))]
    report.write_text("\n".join(parts), encoding="utf-8")


def section(result: Result) -> str:
    """One benchmark's part of the report."""
    return _section(json.loads(json.dumps(asdict(result), default=dict)))


def _section(result: dict[str, Any]) -> str:
    lines = [f"## {result['name']}", "", result["question"], ""]
    if result["contenders"]:
        lines += [
            _COLUMNS,
            "| --- | ---: | ---: | ---: | ---: | ---: | --- | --- | ---: | ---: |",
            *(_row(name, each) for name, each in result["contenders"].items()),
            "",
        ]
    if result["targets"]:
        lines += ["| target | measured | asked | |", "| --- | ---: | ---: | --- |"]
        lines += [_target(each) for each in result["targets"]]
        lines.append("")
    lines += [*(f"- {each}" for each in result["remarks"]), f"- {result['machine']}", ""]
    return "\n".join(lines)


def _row(name: str, seen: dict[str, Any]) -> str:
    own = {key: value for key, value in seen["cpu_ms_by_process"].items() if key != "load"}
    parts = ", ".join(f"{key} {value:.2f}" for key, value in own.items() if value >= 0.005)
    memory = ", ".join(f"{key} {value:.0f}" for key, value in seen["resident_mib"].items())
    return (
        f"| {name} | {seen['per_second']:,.0f} | {seen['p50_ms']:.1f} | {seen['p95_ms']:.1f}"
        f" | {seen['p99_ms']:.1f} | {sum(own.values()):.2f} | {parts} | {memory}"
        f" | {seen['spread']:.0%} | {seen['errors']} |"
    )


def _target(target: dict[str, Any]) -> str:
    least, most = target["at_least"], target["at_most"]
    asked = f"≥ {least:g}" if least is not None else f"≤ {most:g}"
    met = (least is None or target["value"] >= least) and (most is None or target["value"] <= most)
    return (
        f"| {target['text']} | {target['value']:.3g} | {asked} | {'met' if met else '**missed**'} |"
    )
