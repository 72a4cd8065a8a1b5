"""`countersign up`: the one-machine stack, until Ctrl-C."""

import asyncio
import signal
from pathlib import Path
from typing import Annotated

import typer

from countersign_cli.client import ApiError, api_token, open_client
from countersign_cli.commands.connections import ensure_dropzone
from countersign_cli.output import console, errors
from countersign_cli.stack.layout import default_layout
from countersign_cli.stack.ports import PortBusyError, Ports
from countersign_cli.stack.processes import ProcessFailedError
from countersign_cli.stack.stack import Stack, StackRunningError
from countersign_platform.embedded_postgres import EmbeddedPostgresError

# Where `make console` puts it.
BUILT_CONSOLE = Path("frontend/dist")
START_ERRORS = (PortBusyError, ProcessFailedError, StackRunningError, EmbeddedPostgresError)


def up(
    gateway_port: Annotated[int, typer.Option(help="Port of the REST API.")] = 8080,
    workers: Annotated[int, typer.Option(min=1, max=16, help="Export workers.")] = 1,
    broker_url: Annotated[
        str | None, typer.Option(help="amqp:// URL; without one, workers ask for work.")
    ] = None,
    redis_url: Annotated[
        str | None, typer.Option(help="redis:// URL; without one, replays cost a query.")
    ] = None,
    console_folder: Annotated[
        Path | None,
        typer.Option(help="The built web console.", show_default="frontend/dist, if it is built"),
    ] = None,
) -> None:
    """Start PostgreSQL and the five processes in .countersign, and keep them up."""
    stack = Stack(
        default_layout(),
        Ports(gateway=gateway_port),
        broker_url=broker_url,
        redis_url=redis_url,
        workers=workers,
        console_folder=console_folder or _built_console(),
        report=lambda what: console.print(f"  {what}", style="dim"),
    )
    try:
        asyncio.run(_run(stack))
    except (*START_ERRORS, ApiError) as error:
        errors.print(f"[red]countersign up:[/red] {error}", highlight=False)
        raise typer.Exit(1) from error


async def _run(stack: Stack) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    starting = asyncio.create_task(stack.start())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        return
    await starting
    try:
        async with open_client(stack.url, api_token(stack.layout)) as client:
            await ensure_dropzone(client, stack.layout.dropzone)
        _show(stack)
        await stack.watch(stop)
    finally:
        stopping.cancel()
        await stack.stop()


def _built_console() -> Path | None:
    return BUILT_CONSOLE.resolve() if (BUILT_CONSOLE / "index.html").is_file() else None


def _show(stack: Stack) -> None:
    console.print(f"\nCountersign is up at [bold]{stack.url}[/bold]   API: {stack.url}/docs")
    if stack.console_folder is None:
        console.print("no web console: it is not built (make console)")
    else:
        console.print(f"console   {stack.url}/console/")
    console.print(f"dropzone  {stack.layout.dropzone}\nlogs      {stack.layout.logs}")
    console.print("Ctrl-C stops it. In another terminal here: countersign drafts list\n")
