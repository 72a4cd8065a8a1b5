"""A run's outcome for people."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from countersign_chaos.checker.finding import Kind
from countersign_chaos.run import Outcome
from countersign_chaos.soak import change

_MOST_SHOWN = 20
_COUNTS = ("rounds", "requests", "drafts", "pushes", "exports", "files", "audit_events")


def show(outcome: Outcome, console: Console) -> None:
    """Counts, kills, heal times, and what was found."""
    figures = outcome.figures.as_json()
    counts = Table(title=f"seed {outcome.seed}", title_justify="left", show_header=False)
    for name in _COUNTS:
        counts.add_row(name.replace("_", " "), f"{figures[name]:,}")
    counts.add_row("kills", f"{figures['kills_in_total']:,}")
    for kind in Kind:
        counts.add_row(kind.value, str(figures["found"][kind.value]))
    counts.add_row("settled after, worst", f"{max(figures['settle_seconds'], default=0):.1f} s")
    console.print(counts)
    _show_pairs(console, "kills", figures["kills"])
    _show_pairs(console, "faults", figures["faults"])
    if heals := figures["heal_seconds"]:
        table = Table("fault", "times", "median", "worst", title="healed after, in seconds")
        for kind, heal in heals.items():
            table.add_row(kind, str(heal["count"]), f"{heal['median']:.1f}", f"{heal['worst']:.1f}")
        console.print(table)
    if outcome.growths:
        table = Table("process", "memory, MiB", "connections", title="earlier → later half")
        for row in _growth_rows(outcome):
            table.add_row(*row)
        console.print(table)
    for finding in outcome.findings[:_MOST_SHOWN]:
        console.print(f"[red]{finding.kind}[/red] {finding.text} ({finding.subject})")
    if outcome.findings:
        console.print(f"{len(outcome.findings)} findings; logs and plan: {outcome.folder}")


def _growth_rows(outcome: Outcome) -> Iterator[tuple[str, ...]]:
    found = {(each.process, each.what): each for each in outcome.growths}
    for process in sorted({each.process for each in outcome.growths}):
        memory, count = found[process, "memory"], found[process, "connections"]
        yield (
            process,
            *(change(each.what, each.earlier, each.later) for each in (memory, count)),
        )


def _show_pairs(console: Console, title: str, pairs: dict[str, int]) -> None:
    if pairs:
        console.print(f"{title}: " + ", ".join(f"{name} {count}" for name, count in pairs.items()))
