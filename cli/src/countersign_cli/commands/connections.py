"""`countersign connections`: where exports go."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from countersign_cli.client import call, open_client
from countersign_cli.connection_secrets import read_secrets
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


SecretFiles = Annotated[
    list[str] | None, typer.Option("--secret-file", metavar="NAME=PATH", help="Secret in a file.")
]
SecretVariables = Annotated[
    list[str] | None,
    typer.Option("--secret-env", metavar="NAME=VARIABLE", help="Secret in the environment."),
]
SecretStdin = Annotated[
    str | None,
    typer.Option("--secret-stdin", metavar="NAME", help="Secret on standard input."),
]
ConfigFile = Annotated[
    Path | None, typer.Option(help="The connector's settings, a JSON file; - for standard input.")
]
TermsFile = Annotated[Path | None, typer.Option(help="The connection's own limits, a JSON file.")]


@app.command()
@async_command
async def create(
    *,
    name: Annotated[str, typer.Option(help="Your name for it.")],
    folder: Annotated[
        Path | None, typer.Option(help="Shorthand for a folder dropzone, as the worker sees it.")
    ] = None,
    config: ConfigFile = None,
    connector_type: Annotated[
        str, typer.Option("--type", help="See `countersign connectors`.")
    ] = "DROPZONE_JSON_V1",
    secret_file: SecretFiles = None,
    secret_env: SecretVariables = None,
    secret_stdin: SecretStdin = None,
    terms: TermsFile = None,
    test: Annotated[bool, typer.Option(help="Test before saving.")] = True,
    as_json: AsJson = False,
) -> None:
    """Make a connection, tested first; secrets come from files, variables or standard input."""
    if (folder is None) == (config is None):
        raise typer.BadParameter("give either --folder or --config")
    if folder is not None:
        settings: Any = {"transport": "folder", "export_path": str(folder.absolute())}
    else:
        settings = _json_file(config, secret_stdin)
    body = {
        "name": name,
        "connector_type": connector_type,
        "config": settings,
        "secrets": read_secrets(secret_file or [], secret_env or [], secret_stdin),
        "test_on_save": test,
    }
    if terms is not None:
        body["terms"] = _json_file(terms, None)
    async with open_client() as client:
        made = (await call(client, "POST", "/erp-connections", body=body)).json()
    _show_stored(made, tested=test, as_json=as_json)


@app.command()
@async_command
async def show(connection_id: str, as_json: AsJson = False) -> None:
    """One connection: settings, names of its secrets, limits, health, last test."""
    async with open_client() as client:
        found = (await call(client, "GET", f"/erp-connections/{connection_id}")).json()
    if as_json:
        show_json(found)
        return
    show_table(found["name"], ["field", "value"], _facts(found))
    if found["last_test_result"]:
        show_steps(found["last_test_result"])


@app.command()
@async_command
async def change(
    connection_id: str,
    *,
    name: Annotated[str | None, typer.Option(help="New name.")] = None,
    config: ConfigFile = None,
    secret_file: SecretFiles = None,
    secret_env: SecretVariables = None,
    secret_stdin: SecretStdin = None,
    remove_secret: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Secret to remove.")
    ] = None,
    terms: TermsFile = None,
    expected_version: Annotated[
        int | None, typer.Option(help="Refuse if it changed since this version.")
    ] = None,
    test: Annotated[
        bool | None,
        typer.Option(
            "--test/--no-test", help="Test before saving; default: if settings or secrets change."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change what is given; settings and limits are replaced whole, secrets one by one."""
    secrets: dict[str, str | None] = dict.fromkeys(remove_secret or [])
    secrets |= read_secrets(secret_file or [], secret_env or [], secret_stdin)
    body: dict[str, Any] = {
        "name": name,
        "config": None if config is None else _json_file(config, secret_stdin),
        "terms": None if terms is None else _json_file(terms, None),
        "secrets": secrets or None,
    }
    body = {key: value for key, value in body.items() if value is not None}
    headers = None if expected_version is None else {"If-Match": f'"{expected_version}"'}
    path = f"/erp-connections/{connection_id}"
    tested = body.keys() & {"config", "secrets"} if test is None else test
    body["test_on_save"] = bool(tested)
    async with open_client() as client:
        changed = (await call(client, "PATCH", path, body=body, headers=headers)).json()
    _show_stored(changed, tested=bool(tested), as_json=as_json)


def _show_stored(stored: dict[str, Any], *, tested: bool, as_json: bool) -> None:
    if as_json:
        show_json(stored)
        return
    console.print(
        f"Connection {stored['id']} is {stored['status']}, version {stored['version']}.",
        highlight=False,
    )
    if tested:
        show_steps(stored["last_test_result"])


def _facts(found: dict[str, Any]) -> list[list[Any]]:
    health = found["health"] or {}
    limits = {key: value for key, value in found["terms"].items() if value is not None}
    return [
        ["id", found["id"]],
        ["type", found["connector_type"]],
        ["status", found["status"]],
        ["version", found["version"]],
        ["settings", json.dumps(found["config"], indent=2)],
        ["secrets", ", ".join(found["secret_names"])],
        ["limits", json.dumps(limits) if limits else "the installation's"],
        ["server", _health(health)],
        ["last test", _last_test(found)],
    ]


def _health(health: dict[str, Any]) -> str:
    parts = [health.get("breaker") or "no word lately", health.get("failure")]
    return " ".join(part for part in parts if part)


def _json_file(path: Path | None, secret_stdin: str | None) -> Any:
    """What a JSON file says; `-` is standard input, unless a secret comes from there."""
    from_stdin = str(path) == "-"
    if from_stdin and secret_stdin is not None:
        raise typer.BadParameter("standard input holds either the settings or a secret")
    try:
        return json.loads(sys.stdin.read() if from_stdin else Path(str(path)).read_text("utf-8"))
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be read: {type(error).__name__}") from error
    except ValueError as error:
        raise typer.BadParameter(f"{path} is not JSON") from error


@app.command("test")
@async_command
async def run_test(connection_id: str, as_json: AsJson = False) -> None:
    """Have a worker do at the connection what a delivery does. Ends with 1 if that fails."""
    async with open_client() as client:
        result = (await call(client, "POST", f"/erp-connections/{connection_id}/test")).json()
    if as_json:
        show_json(result)
        return
    show_steps(result)


def show_steps(result: dict[str, Any]) -> None:
    """The steps of a connection test, each with a mark."""
    show_table(
        "Connection test",
        ["", "step", "ms", "detail"],
        (
            ["✓" if step["ok"] else "✗", step["name"], f"{step['duration_ms']:.1f}", step["detail"]]
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
async def enable(connection_id: str) -> None:
    """Switch a disabled connection on again, if its type has no other that is active."""
    async with open_client() as client:
        await call(client, "PATCH", f"/erp-connections/{connection_id}", body={"status": "ACTIVE"})
    console.print(f"Connection {connection_id} is ACTIVE.")


@app.command()
@async_command
async def disable(connection_id: str) -> None:
    """Push nothing new through it; what is under way is finished."""
    async with open_client() as client:
        await call(client, "POST", f"/erp-connections/{connection_id}/disable")
    console.print(f"Connection {connection_id} is DISABLED.")
