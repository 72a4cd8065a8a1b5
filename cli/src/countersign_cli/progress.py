"""Progress bars on a terminal; nothing anywhere else."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from countersign_cli.output import errors


class Bar:
    """One bar; `to` moves it."""

    def __init__(self, progress: Progress, what: str) -> None:
        self._progress = progress
        self._task = progress.add_task(what, total=None)

    def to(self, done: int, total: int) -> None:
        """So much of so much."""
        self._progress.update(self._task, completed=done, total=max(total, done))


@contextmanager
def bar(what: str, *, counts: bool = True) -> Iterator[Bar]:
    """A bar on stderr while the block runs; `counts` shows the figures beside it."""
    columns = [
        TextColumn("{task.description}"),
        BarColumn(),
        *([MofNCompleteColumn()] if counts else []),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    ]
    progress = Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal)
    with progress:
        yield Bar(progress, what)
