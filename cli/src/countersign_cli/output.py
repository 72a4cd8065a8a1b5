"""Tables for people, JSON for scripts."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from countersign_cli.client import ApiError

P = ParamSpec("P")
T = TypeVar("T")

console = Console()
errors = Console(stderr=True)


def show_json(value: Any) -> None:
    """One JSON document on stdout, nothing else."""
    json.dump(value, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def show_table(title: str, columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """A table; an absent value is an empty cell."""
    table = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    console.print(table)


def async_command(command: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """Run a coroutine as a command; a refusal becomes a sentence and exit code 1."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return asyncio.run(command(*args, **kwargs))
        except ApiError as error:
            show_problem(error)
            raise typer.Exit(1) from error

    return run


def show_problem(error: ApiError) -> None:
    """The refusal's sentence, its field errors and the request id to quote."""
    errors.print(f"[red]{error.status}[/red] {error}", highlight=False)
    for field_error in error.problem.get("errors") or []:
        errors.print(f"  {field_error.get('field')}: {field_error.get('detail')}", highlight=False)
    if request_id := error.problem.get("request_id"):
        errors.print(f"  request id {request_id}", style="dim", highlight=False)


async def gather_limited(limit: int, tasks: Iterable[Callable[[], Awaitable[T]]]) -> list[T]:
    """Run `tasks` with at most `limit` at once; results in their order."""
    gate = asyncio.Semaphore(limit)

    async def run(task: Callable[[], Awaitable[T]]) -> T:
        async with gate:
            return await task()

    return list(await asyncio.gather(*(run(task) for task in tasks)))
