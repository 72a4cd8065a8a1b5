"""`countersign audit export` and `verify-file`: the trail as a file, and what the file proves."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from countersign_audit.offline.report import Report
from countersign_audit.offline.verify import read_public_keys, verify_files
from countersign_audit.seal_keys import PublicKeys
from countersign_cli.audit_download import AuditDownload
from countersign_cli.client import open_client
from countersign_cli.commands.audit_seals import fetch_seals, write_seals
from countersign_cli.output import async_command, console, errors, show_json
from countersign_cli.part_file import OtherDownloadError
from countersign_cli.progress import bar

FLAWED = 1
_WRONG_USE = 2
UNPROVEN = 3
_CODES = {"proven": 0, "flawed": FLAWED, "unproven": UNPROVEN}


class ExportFormat(StrEnum):
    """How events are written."""

    JSONL = "jsonl"
    CSV = "csv"
    CLOUDEVENTS = "cloudevents"


@async_command
async def export(
    *,
    out: Annotated[Path, typer.Option(help="File to write.")],
    file_format: Annotated[
        ExportFormat, typer.Option("--format", help="jsonl and cloudevents can be verified.")
    ] = ExportFormat.JSONL,
    draft: Annotated[str | None, typer.Option(help="Only this draft's story.")] = None,
    action: Annotated[list[str] | None, typer.Option(help="Only these; may repeat.")] = None,
    actor: Annotated[str | None, typer.Option(help="Only this person.")] = None,
    entity_type: Annotated[str | None, typer.Option(help="With --entity-id.")] = None,
    entity_id: Annotated[str | None, typer.Option(help="With --entity-type.")] = None,
    request_id: Annotated[str | None, typer.Option(help="Only this call.")] = None,
    since: Annotated[datetime | None, typer.Option(help="At or after; local time.")] = None,
    until: Annotated[datetime | None, typer.Option(help="Before; local time.")] = None,
    after_seq: Annotated[int, typer.Option(min=0, help="Only events above this seq.")] = 0,
    up_to_seq: Annotated[int, typer.Option(min=0, help="Only up to this seq; 0: all.")] = 0,
    with_checkpoints: Annotated[
        Path | None, typer.Option(help="Also write the org's checkpoints, to this file.")
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace the file if it is there.")] = False,
) -> None:
    """Write the org's events to a file, oldest first.

    A download that breaks, or is stopped, goes on where it was when the command is run again.
    """
    if out.exists() and not overwrite:
        _refuse(f"{out} is there already; --overwrite replaces it")
    wanted = {
        "format": file_format.value,
        "draft_order_id": draft,
        "action": action,
        "actor_user_id": actor,
        "entity_type": entity_type,
        "entity_id": entity_id,
        "request_id": request_id,
        "occurred_from": _moment(since),
        "occurred_to": _moment(until),
        "after_seq": after_seq,
        "up_to_seq": up_to_seq,
    }
    given = {name: value for name, value in wanted.items() if value}
    async with open_client() as client:
        if with_checkpoints is not None:
            # First: a checkpoint that is made meanwhile would vouch for more than the file has.
            write_seals(with_checkpoints, await fetch_seals(client))
        with bar("Exporting") as shown:
            try:
                part = await AuditDownload(client, given, shown.to).into(out)
            except (OtherDownloadError, OSError) as error:
                _refuse(str(error))
    console.print(
        f"{out}: {part.size} bytes, up to seq {part.last_seq}.", highlight=False, soft_wrap=True
    )


def verify_file(
    events: Annotated[Path, typer.Argument(help="An export: JSON lines or CloudEvents.")],
    checkpoints: Annotated[
        Path | None, typer.Option(help="The org's checkpoints and tombstones, one per line.")
    ] = None,
    public_key: Annotated[
        Path | None, typer.Option(help="Key of the audit service: JWKS, or PEM.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for scripts.")] = False,
) -> None:
    """Verify an exported trail. Needs these files and nothing else: no server, no settings.

    Ends with 0 when everything is proven, 1 when something is wrong (it is named), 2 when a file
    cannot be used, 3 when nothing is wrong but not everything can be proven.
    """
    if (checkpoints is None) != (public_key is None):
        _refuse("--checkpoints and --public-key go together")
    try:
        keys = None if public_key is None else read_public_keys(public_key)
        report = _verified(events, checkpoints, keys)
    except (OSError, ValueError) as error:
        _refuse(str(error))
    if as_json:
        show_json(report.as_json())
    else:
        _show(report)
    raise typer.Exit(_CODES[report.verdict])


def _verified(events: Path, checkpoints: Path | None, keys: PublicKeys | None) -> Report:
    size = events.stat().st_size
    with bar("Verifying", counts=False) as shown:
        return verify_files(events, checkpoints, keys, lambda done: shown.to(done, size))


def _show(report: Report) -> None:
    if (flaw := report.flaw) is not None:
        where = f"{flaw.file}, line {flaw.line}"
        seq = "" if flaw.seq is None else f", seq {flaw.seq}"
        errors.print(
            f"[red]Bad[/red] {where}{seq}: {flaw.problem}", highlight=False, soft_wrap=True
        )
        console.print(f"{report.events} events before it hold.", highlight=False, soft_wrap=True)
        return
    span = f", seq {report.first_seq} to {report.last_seq}" if report.events else ""
    console.print(
        f"[green]Every event holds[/green]: {report.events}{span}; {report.proven} stand under "
        f"{report.checkpoints} checkpoints and {report.tombstones} tombstones.",
        highlight=False,
        soft_wrap=True,
    )
    for sentence in report.notes:
        console.print(sentence, highlight=False, soft_wrap=True)
    for sentence in report.unproven:
        console.print(f"[yellow]Not proven[/yellow]: {sentence}", highlight=False, soft_wrap=True)


def _moment(given: datetime | None) -> str | None:
    return None if given is None else given.astimezone().isoformat()


def _refuse(why: str) -> NoReturn:
    errors.print(f"countersign audit: {why}", highlight=False, soft_wrap=True)
    raise typer.Exit(_WRONG_USE)
