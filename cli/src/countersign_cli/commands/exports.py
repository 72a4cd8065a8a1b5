"""`countersign exports`: what is under way, stuck or held."""

import sys
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import typer

from countersign_cli.client import call, open_client
from countersign_cli.output import async_command, errors, show_json, show_table

app = typer.Typer(help="Exports to the ERP.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="JSON for scripts.")]
Limit = Annotated[int, typer.Option(min=1, max=500, help="Rows at the most.")]


@app.command("list")
@async_command
async def list_exports(
    status: Annotated[
        list[str] | None, typer.Option(help="PENDING, SENT, ACKED or FAILED; may repeat.")
    ] = None,
    draft: Annotated[str | None, typer.Option(help="Exports of this draft.")] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Exports, newest first."""
    params: dict[str, Any] = {"page_size": limit}
    params |= {"status": status} if status else {}
    params |= {"draft_order_id": draft} if draft else {}
    await _show("Exports", params, as_json=as_json)


@app.command()
@async_command
async def stuck(
    seconds: Annotated[int, typer.Option(min=1, help="Overdue by at least this long.")] = 60,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Exports that should have moved on and did not, and why."""
    params = {"stuck_for_seconds": seconds, "page_size": limit}
    await _show("Stuck exports", params, as_json=as_json)


@app.command()
@async_command
async def held(limit: Limit = 50, as_json: AsJson = False) -> None:
    """Exports of which nobody knows yet whether the ERP has the file."""
    await _show("Held exports", {"held": True, "page_size": limit}, as_json=as_json)


@app.command()
@async_command
async def overdue(limit: Limit = 50, as_json: AsJson = False) -> None:
    """Delivered exports that the ERP should have answered by now."""
    await _show("Overdue answers", {"ack_overdue": True, "page_size": limit}, as_json=as_json)


@app.command()
@async_command
async def retrying(limit: Limit = 50, as_json: AsJson = False) -> None:
    """Exports that failed at least once and wait for another attempt."""
    await _show("Retrying exports", {"retrying": True, "page_size": limit}, as_json=as_json)


@app.command()
@async_command
async def expedite(
    export_id: str,
    reason: Annotated[str, typer.Option(help="Why; kept in the audit trail.")] = "",
) -> None:
    """Have a waiting export tried now."""
    async with open_client() as client:
        path = f"/erp-exports/{export_id}/expedite"
        show_json((await call(client, "POST", path, body={"reason": reason})).json())


@app.command()
@async_command
async def cancel(
    export_id: str,
    reason: Annotated[str, typer.Option(help="Why; kept in the audit trail.")],
) -> None:
    """End a waiting export without delivering it."""
    async with open_client() as client:
        path = f"/erp-exports/{export_id}/cancel"
        show_json((await call(client, "POST", path, body={"reason": reason})).json())


@app.command()
@async_command
async def document(
    export_id: str,
    out: Annotated[
        Path | None, typer.Option("--out", "--output", help="File to write; else standard output.")
    ] = None,
) -> None:
    """The exact bytes that were written to the dropzone; their SHA-256 is checked."""
    async with open_client() as client:
        answer = await call(client, "GET", f"/erp-exports/{export_id}/document")
    digest = sha256(answer.content).hexdigest()
    if digest != answer.headers["x-document-sha256"]:
        errors.print("[red]The bytes that arrived have another SHA-256 than the document[/red]")
        raise typer.Exit(1)
    if out is None:
        sys.stdout.buffer.write(answer.content)
        return
    out.write_bytes(answer.content)
    source = answer.headers["x-document-source"]
    typer.echo(f"{out}: {len(answer.content)} bytes, sha256 {digest}, {source}")


@app.command()
@async_command
async def show(export_id: str) -> None:
    """One export, as JSON."""
    async with open_client() as client:
        show_json((await call(client, "GET", f"/erp-exports/{export_id}")).json())


@app.command()
@async_command
async def resolve(
    export_id: str,
    delivered: Annotated[
        bool, typer.Option("--delivered/--not-delivered", help="Whether the ERP has the file.")
    ],
    reason: Annotated[str, typer.Option(help="How you know; kept in the audit trail.")],
) -> None:
    """Settle a held export by hand. Administrators only."""
    async with open_client() as client:
        path = f"/erp-exports/{export_id}/resolve"
        body = {"delivered": delivered, "reason": reason}
        show_json((await call(client, "POST", path, body=body)).json())


async def _show(title: str, params: dict[str, Any], *, as_json: bool) -> None:
    async with open_client() as client:
        rows = (await call(client, "GET", "/erp-exports", params=params)).json()["exports"]
    if as_json:
        show_json(rows)
        return
    columns = ["id", "draft", "status", "attempt", "next attempt", "pushed at", "error"]
    show_table(title, columns, (_row(row) for row in rows))


def _row(row: dict[str, Any]) -> list[Any]:
    error = row.get("error")
    return [
        row["id"],
        row["draft_order_id"],
        row["status"],
        row["attempt"],
        row["next_attempt_at"],
        row["created_at"],
        f"{error['code']}: {error['message']}" if error else None,
    ]
