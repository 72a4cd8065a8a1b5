"""`countersign audit`: who did what, and the proof that nothing was altered."""

from typing import Annotated, Any

import httpx
import typer

from countersign_cli.chain_ranges import verify_in_ranges
from countersign_cli.client import call, open_client
from countersign_cli.commands.audit_files import export, verify_file
from countersign_cli.commands.audit_seals import (
    checkpoints,
    hold,
    public_keys,
    sealed_sentences,
)
from countersign_cli.output import async_command, console, errors, show_json, show_table
from countersign_cli.progress import bar

app = typer.Typer(help="The audit trail.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="JSON for scripts.")]


async def fetch_events(client: httpx.AsyncClient, **filters: Any) -> list[dict[str, Any]]:
    """Every event that fits, newest first, over all pages."""
    params: dict[str, Any] = {"page_size": 1000} | filters
    events: list[dict[str, Any]] = []
    while True:
        page = (await call(client, "GET", "/audit-log", params=params)).json()
        events += page["events"]
        if not page["next_page_token"]:
            return events
        params["page_token"] = page["next_page_token"]


def show_events(events: list[dict[str, Any]], title: str = "Audit trail") -> None:
    """The events as a table, oldest first."""
    columns = ["seq", "when", "who", "what", "draft", "request"]
    show_table(
        title,
        columns,
        (
            [
                event["seq"],
                event["occurred_at"],
                event["actor_user_id"] or "system",
                event["action"],
                (event["draft_order_id"] or "")[:8],
                (event["request_id"] or "")[:8],
            ]
            for event in reversed(events)
        ),
    )


@app.command("list")
@async_command
async def list_events(
    draft: Annotated[str | None, typer.Option(help="Only this draft's story.")] = None,
    action: Annotated[list[str] | None, typer.Option(help="Only these; may repeat.")] = None,
    actor: Annotated[str | None, typer.Option(help="Only this person.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Rows at the most.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Events, oldest first."""
    given = {"draft_order_id": draft, "action": action, "actor_user_id": actor}
    params = {name: value for name, value in given.items() if value} | {"page_size": limit}
    async with open_client() as client:
        events = (await call(client, "GET", "/audit-log", params=params)).json()["events"]
    if as_json:
        show_json(events)
    else:
        show_events(events)


@app.command()
@async_command
async def verify(as_json: AsJson = False) -> None:
    """Recompute the org's chain; exit code 1 names the first link that does not hold.

    A long chain is verified in ranges, so that no call runs into its deadline.
    """
    async with open_client(timeout=60.0) as client:
        with bar("Verifying") as shown:
            verdict = await verify_in_ranges(client, shown.to)
    if as_json:
        show_json(verdict)
    elif verdict["valid"]:
        console.print(f"[green]The chain holds[/green]: {verdict['checked']} events.")
        for sentence in sealed_sentences(verdict):
            console.print(sentence, highlight=False)
    else:
        errors.print(f"[red]Bad link[/red] at seq {verdict['first_bad_seq']}: {verdict['problem']}")
    if not verdict["valid"]:
        raise typer.Exit(1)


app.command()(checkpoints)
app.command("keys")(public_keys)
app.add_typer(hold, name="hold")
app.command()(export)
app.command()(verify_file)
