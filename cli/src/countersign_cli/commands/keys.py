"""`countersign keys`: keys of a stack."""

import typer

from countersign_cli.commands.key_rotation import rotate
from countersign_cli.output import console
from countersign_cli.stack.keys import ensure_keys
from countersign_cli.stack.layout import default_layout
from countersign_platform.auth.minting import create_signing_key

app = typer.Typer(help="Signing key, service tokens, key ring.", no_args_is_help=True)


app.command()(rotate)


@app.command()
def init() -> None:
    """Make the keys of the stack in COUNTERSIGN_HOME; service tokens are made anew."""
    layout = default_layout()
    layout.create()
    ensure_keys(layout)
    console.print(f"keys are in {layout.keys}")


@app.command("rotate-audit-key")
def rotate_audit_key() -> None:
    """A new key for the checkpoints of this stack; what older ones signed stays valid.

    The audit service takes it at its next start.
    """
    layout = default_layout()
    layout.create()
    key = create_signing_key(layout.audit_keys)
    console.print(f"{key.kid} signs from the next start on; {key.jwks_file} has every key.")
