"""`countersign connections`: where exports go."""

import json
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from countersign_cli.client import call, open_client
from countersign_cli.output import async_command, console, show_json, show_table

app = typer.Typer(help="ERP connections.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="JSON for scripts.")]


async def ensure_dropzone(client: httpx.AsyncClient, folder: Path) -> None:
    """Make sure that the org has an active connection to this folder."""
    listed = (await call(client, "GET", "/erp-connections")).json()["connections"]
    active = [each for each in listed if each["status"] != "DISABLED"]
    if any(each["config"].get("export_path") == str(folder) for each in active):
        return
    for each in active:
        await call(client, "POST", f"/erp-connections/{each['id']}/disable")
    body = {
        "name": "Local dropzone",
        "connector_type": "DROPZONE_JSON_V1",
        "config": {"transport": "folder", "export_path": str(folder)},
    }
    await call(client, "POST", "/erp-connections", body=body)


@app.command("list")
@async_command
async def list_connections(as_json: AsJson = False) -> None:
    """Every connection of the org."""
    async with open_client() as client:
        rows = (await call(client, "GET", "/erp-connections")).json()["connections"]
    if as_json:
        show_json(rows)
        return
    show_table(
        "ERP connections",
        ["id", "name", "type", "status", "settings", "secrets", "last test"],
        (
            [
                row["id"],
                row["name"],
                row["connector_type"],
                row["status"],
                json.dumps(row["config"]),
                ", ".join(row["secret_names"]),
                _last_test(row),
            ]
            for row in rows
        ),
    )


def _last_test(row: dict[str, Any]) -> str:
    if not row.get("last_test_at"):
        return "never"
    verdict = "ok" if row["last_test_result"]["ok"] else row["last_test_result"]["failure"]
    return f"{row['last_test_at']} {verdict}"


@app.command()
@async_command
async def create(
    name: Annotated[str, typer.Option(help="Your name for it.")],
    folder: Annotated[Path, typer.Option(help="Dropzone folder, as the worker sees it.")],
    test: Annotated[bool, typer.Option(help="Test before saving.")] = True,
    as_json: AsJson = False,
) -> None:
    """Make a connection to a folder dropzone."""
    body = {
        "name": name,
        "connector_type": "DROPZONE_JSON_V1",
        "config": {"transport": "folder", "export_path": str(folder.absolute())},
        "test_on_save": test,
    }
    async with open_client() as client:
        made = (await call(client, "POST", "/erp-connections", body=body)).json()
    if as_json:
        show_json(made)
    else:
        console.print(f"Connection {made['id']} is {made['status']}.")


@app.command("test")
@async_command
async def run_test(connection_id: str, as_json: AsJson = False) -> None:
    """Have a worker do at the connection what a delivery does."""
    async with open_client() as client:
        result = (await call(client, "POST", f"/erp-connections/{connection_id}/test")).json()
    if as_json:
        show_json(result)
        return
    show_table(
        "Connection test",
        ["step", "ok", "ms", "detail"],
        (
            [step["name"], step["ok"], f"{step['duration_ms']:.1f}", step["detail"]]
            for step in result["steps"]
        ),
    )


Reason = Annotated[str, typer.Option(help="Why; kept in the audit trail.")]


@app.command()
@async_command
async def pause(connection_id: str, reason: Reason = "") -> None:
    """Have pushes wait; what is under way is finished."""
    async with open_client() as client:
        path = f"/erp-connections/{connection_id}/pause"
        await call(client, "POST", path, body={"reason": reason})
    console.print(f"Connection {connection_id} is PAUSED.")


@app.command()
@async_command
async def resume(connection_id: str, reason: Reason = "") -> None:
    """Deliver what waits."""
    async with open_client() as client:
        path = f"/erp-connections/{connection_id}/resume"
        await call(client, "POST", path, body={"reason": reason})
    console.print(f"Connection {connection_id} is ACTIVE.")


@app.command()
@async_command
async def disable(connection_id: str) -> None:
    """Push nothing new through it; what is under way is finished."""
    async with open_client() as client:
        await call(client, "POST", f"/erp-connections/{connection_id}/disable")
    console.print(f"Connection {connection_id} is DISABLED.")
