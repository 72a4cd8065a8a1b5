"""`countersign demo`: the whole journey on this machine, start to end, checked on the way."""

import asyncio
import json
import signal
import time
import uuid
from importlib import resources
from pathlib import Path
from typing import Any

import httpx
import typer
from rich.syntax import Syntax

from countersign_cli.client import ApiError, api_token, call, open_client
from countersign_cli.commands.audit import fetch_events, show_events
from countersign_cli.commands.connections import ensure_dropzone
from countersign_cli.commands.up import START_ERRORS
from countersign_cli.output import console, errors, show_problem, show_table
from countersign_cli.stack.layout import Layout, default_layout
from countersign_cli.stack.ports import free_ports
from countersign_cli.stack.stack import Stack

DELIVERY_SECONDS = 30.0
TRAIL_SECONDS = 15.0
EXPECTED_TRAIL = ["DRAFT_SUBMITTED", "DRAFT_APPROVED", "DRAFT_PUSHED", "DRAFT_PUSH_SUCCEEDED"]


class DemoError(Exception):
    """Something did not come out as promised."""


def demo() -> None:
    """Start the stack beside whatever runs, push sample orders, show file and trail, stop."""
    layout = Layout(default_layout().home / "demo")
    stack = Stack(layout, free_ports(), report=lambda what: console.print(f"  {what}", style="dim"))
    try:
        asyncio.run(_run(stack))
    except (DemoError, *START_ERRORS) as error:
        errors.print(f"[red]countersign demo:[/red] {error}", highlight=False)
        raise typer.Exit(1) from error
    except ApiError as error:
        show_problem(error)
        raise typer.Exit(1) from error
    except asyncio.CancelledError:
        raise typer.Exit(130) from None


async def _run(stack: Stack) -> None:
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    began = time.monotonic()
    console.rule("Countersign: five processes on an embedded PostgreSQL")
    await stack.start()
    try:
        show_table("Processes", ["name", "pid"], stack.pids.items())
        async with open_client(stack.url, api_token(stack.layout)) as client:
            await ensure_dropzone(client, stack.layout.dropzone)
            await _journey(client, stack.layout.dropzone)
    finally:
        await stack.stop()
    console.print(f"\n[green]All as promised[/green], in {time.monotonic() - began:.0f} s.")


async def _journey(client: httpx.AsyncClient, dropzone: Path) -> None:
    console.rule("1  Submit")
    drafts = [await _submit(client, order) for order in _sample_orders()]
    show_table(
        "Draft orders",
        ["reference", "status", "why"],
        ([draft["external_ref"], draft["status"], _reasons(draft)] for draft in drafts),
    )
    ready = [draft for draft in drafts if draft["status"] == "READY"]
    _expect(len(ready) == 2, "two of the three sample orders are READY")  # noqa: PLR2004 — as in the samples

    console.rule("2  Approve and push; a double click pushes once")
    for draft in ready:
        await _approve_and_push(client, draft)

    console.rule("3  One file each in the dropzone")
    for draft in ready:
        await _wait_pushed(client, draft["id"])
    files = [_only_file(dropzone, draft["id"]) for draft in ready]
    console.print(files[0].name)
    console.print(Syntax(json.dumps(json.loads(files[0].read_text()), indent=2), "json"))

    console.rule("4  Who did what, when")
    trail = await _wait_trail(client, ready[0]["id"])
    show_events(trail, f"Audit trail of {ready[0]['external_ref']}")
    verdict = (await call(client, "GET", "/audit-log/verify")).json()
    _expect(verdict["valid"], f"the audit chain holds: {verdict['problem']}")
    console.print(f"The hash chain of all {verdict['checked']} events holds.")


def _sample_orders() -> list[dict[str, Any]]:
    text = (resources.files("countersign_cli") / "samples" / "orders.jsonl").read_text()
    # A run of its own: the same reference again would answer the first run's draft.
    run = uuid.uuid4().hex[:6]
    orders = [json.loads(line) for line in text.splitlines()]
    return [order | {"external_ref": f"{order['external_ref']}-{run}"} for order in orders]


async def _submit(client: httpx.AsyncClient, order: dict[str, Any]) -> dict[str, Any]:
    draft: dict[str, Any] = (await call(client, "POST", "/draft-orders", body=order)).json()
    return draft


def _reasons(draft: dict[str, Any]) -> str:
    return ", ".join(reason["code"] for reason in draft["blocking_reasons"])


async def _approve_and_push(client: httpx.AsyncClient, draft: dict[str, Any]) -> None:
    path = f"/draft-orders/{draft['id']}"
    seen = {"If-Match": f'"{draft["version"]}"'}
    await call(client, "POST", f"{path}/approve", headers=seen)
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first = await call(client, "POST", f"{path}/push", headers=key)
    again = await call(client, "POST", f"{path}/push", headers=key)
    export = first.json()["erp_export_id"]
    _expect(again.json()["erp_export_id"] == export, "the second push names the same export")
    _expect(again.headers.get("Idempotent-Replayed") == "true", "the second push is a replay")
    console.print(
        f"{draft['external_ref']}: push {first.status_code}, "
        f"again {again.status_code}: export {export}"
    )


async def _wait_pushed(client: httpx.AsyncClient, draft_id: str) -> None:
    deadline = time.monotonic() + DELIVERY_SECONDS
    status = ""
    while time.monotonic() < deadline:
        status = (await call(client, "GET", f"/draft-orders/{draft_id}")).json()["status"]
        if status == "PUSHED":
            return
        await asyncio.sleep(0.05)
    raise DemoError(f"draft {draft_id} is still {status} after {DELIVERY_SECONDS:.0f} s")


def _only_file(dropzone: Path, draft_id: str) -> Path:
    found = [path for path in dropzone.iterdir() if draft_id in path.name]
    _expect(len(found) == 1, f"exactly one file of draft {draft_id}, found {len(found)}")
    return found[0]


async def _wait_trail(client: httpx.AsyncClient, draft_id: str) -> list[dict[str, Any]]:
    deadline = time.monotonic() + TRAIL_SECONDS
    while True:
        events = await fetch_events(client, draft_order_id=draft_id)
        actions = sorted(event["action"] for event in events)
        if actions == sorted(EXPECTED_TRAIL):
            return events
        if time.monotonic() > deadline:
            raise DemoError(f"the trail has {actions}, expected {EXPECTED_TRAIL}")
        await asyncio.sleep(0.1)


def _expect(condition: bool, promise: str) -> None:
    if not condition:
        raise DemoError(f"not as promised: {promise}")
