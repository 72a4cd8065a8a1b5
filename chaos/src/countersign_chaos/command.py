"""`countersign chaos`: faults on the real stack, and what became of every push."""

import json
import os
import secrets
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

_MINUTE = 60.0


def chaos(  # noqa: PLR0917 — every one is an option
    minutes: Annotated[float, typer.Option(min=0.1, help="Load and faults for so long.")] = 5.0,
    seed: Annotated[
        int | None, typer.Option(help="Of plan and load; without one it is drawn and printed.")
    ] = None,
    operators: Annotated[
        int, typer.Option(min=1, max=64, help="Operators at work per dropzone; there are five.")
    ] = 4,
    round_seconds: Annotated[
        float, typer.Option(min=10.0, help="So long until all must settle and is checked.")
    ] = 75.0,
    orders: Annotated[
        Path | None,
        typer.Option(help='Real orders: a CSV of the UCI "Online Retail" data set.', exists=True),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Figures as JSON.")] = False,
    without: Annotated[
        str | None,
        typer.Option(help="Switch one protection off, in a build for tests; see docs/faults.md."),
    ] = None,
    record_in: Annotated[
        Path | None,
        typer.Option("--record", help="Add the run to the tables of this page.", exists=True),
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep logs and plan in any case.")] = False,
    soak: Annotated[
        bool, typer.Option("--soak", help="No faults; memory and connections must stay flat.")
    ] = False,
    no_faults: Annotated[bool, typer.Option("--no-faults", help="Load alone.")] = False,
) -> None:
    """Start the real stack on servers of its own, break it, and prove that nothing was lost.

    Ends with code 1 when anything was lost, doubled, stuck, missing from the audit trail or
    not as the API said; logs and plan are then kept. Needs the servers of `make test`.
    """
    # Servers are started under another user by a fork, which gRPC's own hooks would break.
    os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
    # The other commands shall not load any of this.
    from countersign_chaos.execute import execute  # noqa: PLC0415
    from countersign_chaos.record import record  # noqa: PLC0415
    from countersign_chaos.report import show  # noqa: PLC0415
    from countersign_chaos.run import Options  # noqa: PLC0415
    from countersign_chaos.sabotage.trials import TRIALS  # noqa: PLC0415
    from countersign_chaos.soak import growth_rows  # noqa: PLC0415

    if without is not None and without not in TRIALS:
        raise typer.BadParameter(f"one of {', '.join(TRIALS)}", param_hint="--without")

    chosen = secrets.randbelow(1_000_000) if seed is None else seed
    say = Console(stderr=True)
    say.print(f"seed {chosen}", highlight=False)
    options = Options(
        seed=chosen,
        seconds=minutes * _MINUTE,
        round_seconds=round_seconds,
        operators=operators,
        orders=orders,
        with_faults=not (no_faults or soak),
        soak=soak,
        keep=keep,
        report=lambda text: say.print(text, style="dim", highlight=False),
    )
    if without is not None:
        options = TRIALS[without].options(options)
    outcome = execute(options)
    if record_in is not None:
        record(outcome, record_in, options, without=without)
    if as_json:
        document = {
            "seed": chosen,
            **outcome.figures.as_json(),
            "growth": growth_rows(outcome.growths),
            "findings": [str(finding) for finding in outcome.findings],
            "folder": str(outcome.folder) if outcome.findings else None,
        }
        json.dump(document, sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        show(outcome, Console())
    if outcome.findings:
        raise typer.Exit(1)
    if keep:
        say.print(f"logs and plan: {outcome.folder}")
        return
    shutil.rmtree(outcome.folder, ignore_errors=True)
