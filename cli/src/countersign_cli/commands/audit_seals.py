"""`countersign audit checkpoints`, `keys` and `hold`: what is signed, and what must stay."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from countersign_cli.client import call, open_client
from countersign_cli.output import async_command, console, show_json, show_table

hold = typer.Typer(help="Legal hold: nothing of the trail is removed.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="JSON for scripts.")]
Reason = Annotated[str, typer.Option(help="Why; kept on record.")]


@async_command
async def checkpoints(
    out: Annotated[
        Path | None, typer.Option(help="File to write, one per line, for verify-file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Signed checkpoints and tombstones of the org, oldest first."""
    async with open_client() as client:
        seals = await fetch_seals(client)
    if out is not None:
        write_seals(out, seals)
        console.print(f"{out}: {len(seals)} checkpoints and tombstones.", highlight=False)
    elif as_json:
        show_json(seals)
    else:
        columns = ["number", "what", "seq", "events", "when", "key"]
        show_table("Checkpoints", columns, map(_row, seals))


@async_command
async def public_keys(
    out: Annotated[Path | None, typer.Option(help="File to write; else standard output.")] = None,
) -> None:
    """Public keys that checkpoints are verified with, as a JSON Web Key Set."""
    async with open_client() as client:
        found = (await call(client, "GET", "/audit-log/keys")).json()
    if out is None:
        show_json(found)
        return
    out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    console.print(f"{out}: {len(found['keys'])} keys.", highlight=False)


@hold.command()
@async_command
async def show(as_json: AsJson = False) -> None:
    """Whether the org's trail is held, since when, by whom and why."""
    async with open_client() as client:
        _show(await _hold(client, "GET"), as_json)


@hold.command("set")
@async_command
async def set_hold(reason: Reason, as_json: AsJson = False) -> None:
    """Hold the org's trail. Administrators only."""
    async with open_client() as client:
        _show(await _hold(client, "PUT", {"held": True, "reason": reason}), as_json)


@hold.command("lift")
@async_command
async def lift(reason: Reason, as_json: AsJson = False) -> None:
    """End the hold. Administrators only."""
    async with open_client() as client:
        _show(await _hold(client, "PUT", {"held": False, "reason": reason}), as_json)


def sealed_sentences(verdict: dict[str, Any]) -> Iterator[str]:
    """What a verdict says beside the chain itself."""
    if verdict["removed_seq"]:
        yield f"Up to seq {verdict['removed_seq']} they were removed, as signed tombstones say."
    if verdict["seals"]:
        seals, seq = verdict["seals"], verdict["sealed_seq"]
        yield f"{seals} signed statements vouch for it up to seq {seq}."
    if verdict["archive_compared"]:
        yield f"{verdict['archived_seals']} of them were compared with the archive."
    else:
        yield "The archive was not compared: it is away, or there is none."


async def fetch_seals(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    """Every checkpoint and tombstone of the org, oldest first."""
    params: dict[str, Any] = {"page_size": 1000}
    seals: list[dict[str, Any]] = []
    while True:
        page = (await call(client, "GET", "/audit-log/checkpoints", params=params)).json()
        seals += page["seals"]
        if not page["next_page_token"]:
            return seals
        params["page_token"] = page["next_page_token"]


def write_seals(out: Path, seals: list[dict[str, Any]]) -> None:
    """One per line, as verify-file takes them."""
    lines = (json.dumps(seal, separators=(",", ":")) + "\n" for seal in seals)
    out.write_text("".join(lines), encoding="utf-8")


async def _hold(
    client: httpx.AsyncClient, method: str, body: dict[str, Any] | None = None
) -> dict[str, Any]:
    found: dict[str, Any] = (await call(client, method, "/audit-log/legal-hold", body=body)).json()
    return found


def _row(seal: dict[str, Any]) -> list[Any]:
    key = seal["key_id"][:8]
    if "head_hash" in seal:
        return [seal["number"], "checkpoint", seal["seq"], seal["count"], seal["made_at"], key]
    stretch = f"{seal['from_seq']} to {seal['to_seq']}"
    what = f"tombstone {seal['month']}"
    return [seal["number"], what, stretch, seal["count"], seal["removed_at"], key]


def _show(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show_json(found)
    elif found["changed_at"] is None:
        console.print("The trail was never held.")
    else:
        state = "held" if found["held"] else "not held"
        said = f"{found['changed_by']}, {found['changed_at']}: {found['reason']}"
        console.print(f"The trail is [bold]{state}[/bold]. {said}", highlight=False)
