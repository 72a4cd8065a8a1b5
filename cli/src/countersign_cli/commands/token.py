"""`countersign token`: a token signed with the local stack's key."""

from typing import Annotated
from uuid import UUID

import typer

from countersign_cli.client import LOCAL_ORG
from countersign_cli.output import errors
from countersign_cli.stack.keys import ensure_keys, mint
from countersign_cli.stack.layout import default_layout
from countersign_core.roles import SERVICE_ROLES, Role


def token(
    role: Annotated[list[Role], typer.Option(help="May be given several times.")],
    subject: Annotated[str, typer.Option(help="Who the token is for.")] = "local-user",
    org: Annotated[UUID, typer.Option(help="The org; service roles have none.")] = LOCAL_ORG,
    org_slug: Annotated[str, typer.Option(help="Short name of the org in exports.")] = "local",
    hours: Annotated[float, typer.Option(min=0.01, max=24 * 365, help="Lifetime.")] = 8.0,
) -> None:
    """Print a token for the stack in .countersign. Makes its key if there is none yet.

    For development and for one machine. In production tokens come from your identity
    provider; see docs/operations.md.
    """
    services = [each for each in role if each in SERVICE_ROLES]
    if services and len(services) < len(role):
        errors.print("countersign token: service roles and people's roles do not mix")
        raise typer.Exit(2)
    layout = default_layout()
    layout.create()
    if not (layout.keys / "jwks.json").exists():
        ensure_keys(layout)
    for_org = {} if services else {"org_id": org, "org_slug": org_slug}
    # print, not the console: a token must not be wrapped.
    typer.echo(mint(layout, subject=subject, roles=role, seconds=int(hours * 3600), **for_org))  # type: ignore[arg-type]  # the two keys have the two types
