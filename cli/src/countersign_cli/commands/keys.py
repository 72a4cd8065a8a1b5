"""`countersign keys`: keys of a stack."""

import typer

from countersign_cli.commands.key_rotation import rotate
from countersign_cli.output import console
from countersign_cli.stack.keys import ensure_keys
from countersign_cli.stack.layout import default_layout

app = typer.Typer(help="Signing key, service tokens, key ring.", no_args_is_help=True)


app.command()(rotate)


@app.command()
def init() -> None:
    """Make the keys of the stack in COUNTERSIGN_HOME; service tokens are made anew."""
    layout = default_layout()
    layout.create()
    ensure_keys(layout)
    console.print(f"keys are in {layout.keys}")
