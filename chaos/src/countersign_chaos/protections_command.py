"""`countersign chaos-protections`: each protection switched off in turn; does a run notice?"""

import os
import secrets
import shutil
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

_MINUTE = 60.0


def protections(
    minutes: Annotated[float, typer.Option(min=0.1, help="Of each run.")] = 1.0,
    seed: Annotated[
        int | None, typer.Option(help="Of every run; without one it is drawn and printed.")
    ] = None,
    record_in: Annotated[
        Path | None,
        typer.Option("--record", help="Add the runs to the tables of this page.", exists=True),
    ] = None,
) -> None:
    """Run the chaos without each protection, in builds for tests.

    Ends with code 1 when a run finds nothing although a protection is missing, or something
    although the protection is said to be redundant.
    """
    os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
    from countersign_chaos.execute import execute  # noqa: PLC0415 — as in command.py
    from countersign_chaos.record import record  # noqa: PLC0415
    from countersign_chaos.run import Options  # noqa: PLC0415
    from countersign_chaos.sabotage.trials import TRIALS  # noqa: PLC0415

    chosen = secrets.randbelow(1_000_000) if seed is None else seed
    console = Console()
    console.print(f"seed {chosen}", highlight=False)
    wrong = 0
    for name, trial in TRIALS.items():
        options = trial.options(Options(seed=chosen, seconds=minutes * _MINUTE))
        outcome = execute(options)
        shutil.rmtree(outcome.folder, ignore_errors=True)
        found = {kind: count for kind, count in outcome.figures.found.items() if count}
        is_right = bool(found) != bool(trial.redundant)
        wrong += not is_right
        console.print(
            f"{'as told' if is_right else '[red]WRONG[/red]'}  {name}: {found or 'nothing'}"
        )
        if record_in is not None:
            record(outcome, record_in, options, without=name)
    if wrong:
        raise typer.Exit(1)
