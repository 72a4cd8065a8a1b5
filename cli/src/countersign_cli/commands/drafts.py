"""`countersign drafts`: submit, list, show, approve, push, retry."""

import uuid
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.progress import MofNCompleteColumn, Progress

from countersign_cli.client import ApiError, call, open_client
from countersign_cli.intake import csv_orders, json_lines
from countersign_cli.intake.mapping import MappingError, load_mapping
from countersign_cli.output import (
    async_command,
    console,
    errors,
    gather_limited,
    show_json,
    show_table,
)

app = typer.Typer(help="Draft orders.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="JSON for scripts.")]
BATCH = 500
PARALLEL = 16


@app.command()
@async_command
async def submit(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="JSON lines or CSV.")],
    mapping: Annotated[
        str | None, typer.Option(help="CSV: a mapping file (.toml), or online_retail.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Submit every order of a file. Submitting it again changes nothing."""
    orders = _read(file, mapping)
    results: list[dict[str, Any]] = []
    with Progress(*Progress.get_default_columns(), MofNCompleteColumn(), console=errors) as bar:
        task = bar.add_task("submit", total=len(orders))
        async with open_client() as client:

            async def one(order: dict[str, Any]) -> None:
                results.append(await submit_order(client, order))
                bar.advance(task)

            await gather_limited(PARALLEL, [lambda order=order: one(order) for order in orders])  # type: ignore[misc]  # a default binds the loop's value
    summary = _summary(results)
    if as_json:
        show_json(summary)
    else:
        _show_summary(summary)
    if summary["refused"]:
        raise typer.Exit(1)


def _read(file: Path, mapping: str | None) -> list[dict[str, Any]]:
    try:
        return _read_orders(file, mapping)
    except MappingError as error:
        errors.print(f"[red]countersign drafts submit:[/red] {error}", highlight=False)
        raise typer.Exit(2) from error


def _read_orders(file: Path, mapping: str | None) -> list[dict[str, Any]]:
    if file.suffix.lower() != ".csv":
        return json_lines.read_orders(file)
    if mapping is None:
        raise MappingError("a CSV needs --mapping")
    return csv_orders.read_orders(file, load_mapping(mapping))


async def submit_order(client: httpx.AsyncClient, order: dict[str, Any]) -> dict[str, Any]:
    """What became of one order; a refusal is a result, a server that is away is not."""
    try:
        response = await call(client, "POST", "/draft-orders", body=order)
    except ApiError as error:
        if error.status >= httpx.codes.INTERNAL_SERVER_ERROR or error.status in {401, 403}:
            raise
        return {"external_ref": order.get("external_ref"), "problem": error.problem}
    draft = response.json()
    return {
        "external_ref": draft["external_ref"],
        "id": draft["id"],
        "status": draft["status"],
        "created": response.status_code == httpx.codes.CREATED,
        "reasons": [reason["code"] for reason in draft["blocking_reasons"]],
    }


def _summary(results: list[dict[str, Any]]) -> dict[str, Any]:
    taken = [result for result in results if "id" in result]
    reasons = Counter(code for result in taken for code in set(result["reasons"]))
    return {
        "submitted": len(results),
        "created": sum(result["created"] for result in taken),
        "known_before": sum(not result["created"] for result in taken),
        "by_status": dict(Counter(result["status"] for result in taken)),
        "needs_review_reasons": dict(reasons.most_common()),
        "refused": [result for result in results if "problem" in result],
    }


def _show_summary(summary: dict[str, Any]) -> None:
    console.print(
        f"{summary['submitted']} orders: {summary['created']} new, "
        f"{summary['known_before']} known before, {len(summary['refused'])} refused"
    )
    show_table("Status", ["status", "drafts"], summary["by_status"].items())
    if summary["needs_review_reasons"]:
        rows = summary["needs_review_reasons"].items()
        show_table("Why NEEDS_REVIEW", ["reason", "drafts"], rows)
    for result in summary["refused"][:20]:
        problem = result["problem"]
        errors.print(f"refused {result['external_ref']}: {problem.get('detail')}", highlight=False)


@app.command("list")
@async_command
async def list_drafts(
    status: Annotated[list[str] | None, typer.Option(help="Only these; may repeat.")] = None,
    customer: Annotated[str | None, typer.Option(help="Number, or part of the name.")] = None,
    q: Annotated[str | None, typer.Option(help="Start of a reference or order number.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="Rows at the most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Drafts, newest first."""
    given = {"status": status, "customer": customer, "q": q}
    params = {name: value for name, value in given.items() if value} | {"page_size": limit}
    async with open_client() as client:
        rows = (await call(client, "GET", "/draft-orders", params=params)).json()["drafts"]
    if as_json:
        show_json(rows)
        return
    columns = ["id", "reference", "status", "customer", "lines", "value", "blocked by"]
    show_table("Draft orders", columns, (_row(row) for row in rows))


def _row(row: dict[str, Any]) -> list[Any]:
    return [
        row["id"],
        row["external_ref"],
        row["status"],
        row["customer_name"] or row["erp_customer_number"],
        row["line_count"],
        f"{row['total_value']} {row['currency'] or ''}".strip(),
        ", ".join(sorted({reason["code"] for reason in row["blocking_reasons"]})),
    ]


@app.command()
@async_command
async def show(draft_id: str) -> None:
    """One draft with its exports and its trail, as JSON."""
    async with open_client() as client:
        show_json((await call(client, "GET", f"/draft-orders/{draft_id}")).json())


@app.command()
@async_command
async def approve(
    draft_ids: Annotated[list[str] | None, typer.Argument(help="Drafts to approve.")] = None,
    all_ready: Annotated[bool, typer.Option(help="Every READY draft instead.")] = False,
    as_json: AsJson = False,
) -> None:
    """Approve drafts, in batches, with a result per draft."""
    await _batch("batch-approve", "READY", draft_ids, everything=all_ready, as_json=as_json)


@app.command()
@async_command
async def push(
    draft_ids: Annotated[list[str] | None, typer.Argument(help="Drafts to push.")] = None,
    all_approved: Annotated[bool, typer.Option(help="Every APPROVED draft instead.")] = False,
    as_json: AsJson = False,
) -> None:
    """Push drafts, in batches, with a result per draft."""
    await _batch("batch-push", "APPROVED", draft_ids, everything=all_approved, as_json=as_json)


@app.command()
@async_command
async def retry(
    draft_id: str,
    reason: Annotated[str, typer.Option(help="Why; kept in the audit trail.")] = "",
) -> None:
    """Push a draft again whose export failed."""
    async with open_client() as client:
        path = f"/draft-orders/{draft_id}/retry-push"
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        body = {"reason": reason} if reason else {}
        show_json((await call(client, "POST", path, body=body, headers=headers)).json())


async def list_ids(client: httpx.AsyncClient, status: str) -> list[str]:
    """Ids of every draft in this status."""
    ids: list[str] = []
    params: dict[str, Any] = {"status": status, "page_size": 500}
    while True:
        page = (await call(client, "GET", "/draft-orders", params=params)).json()
        ids += [row["id"] for row in page["drafts"]]
        if not page["next_page_token"]:
            return ids
        params["page_token"] = page["next_page_token"]


async def run_batches(
    client: httpx.AsyncClient, operation: str, ids: list[str]
) -> list[dict[str, Any]]:
    """Results of batch-approve or batch-push over all `ids`, 500 at a time."""
    results: list[dict[str, Any]] = []
    for start in range(0, len(ids), BATCH):
        body = {"items": [{"draft_order_id": each} for each in ids[start : start + BATCH]]}
        # One key per batch: a retry after a lost answer replays instead of refusing.
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        path = f"/draft-orders/{operation}"
        answer = await call(client, "POST", path, body=body, headers=headers)
        results += answer.json()["results"]
    return results


async def _batch(
    operation: str, status: str, draft_ids: list[str] | None, *, everything: bool, as_json: bool
) -> None:
    if bool(draft_ids) == everything:
        errors.print(f"Name drafts, or use --all-{status.lower()}; not both.")
        raise typer.Exit(2)
    async with open_client() as client:
        ids = await list_ids(client, status) if everything else draft_ids or []
        results = await run_batches(client, operation, ids)
    refused = [result for result in results if result.get("problem")]
    if as_json:
        show_json(results)
    else:
        console.print(f"{operation}: {len(results) - len(refused)} done, {len(refused)} refused")
        for result in refused[:20]:
            detail = result["problem"]["detail"]
            errors.print(f"  {result['draft_order_id']}: {detail}", highlight=False)
    if refused:
        raise typer.Exit(1)
