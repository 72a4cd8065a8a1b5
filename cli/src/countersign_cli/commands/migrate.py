"""`countersign migrate`: bring the database to this version."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from countersign_cli.output import console, errors, show_json, show_table
from countersign_platform.database.migrate import current, upgrade
from countersign_platform.database.revisions import schema_of

OWNER_URL_VARIABLE = "COUNTERSIGN_OWNER_DATABASE_URL"
AUDIT_OWNER_URL_VARIABLE = "COUNTERSIGN_AUDIT_OWNER_DATABASE_URL"
AUDIT = ("countersign_audit",)
# In the order of their dependencies.
OTHERS = ("countersign_approval", "countersign_push")
PASSWORD_VARIABLES = {
    "countersign_approval": "COUNTERSIGN_APPROVAL_PASSWORD",
    "countersign_push": "COUNTERSIGN_PUSH_PASSWORD",
    "countersign_audit": "COUNTERSIGN_AUDIT_PASSWORD",
}


def migrate(
    database_url: Annotated[
        str | None,
        typer.Option(help=f"URL of the owner; else {OWNER_URL_VARIABLE}.", show_default=False),
    ] = None,
    audit_database_url: Annotated[
        str | None,
        typer.Option(
            help=f"The same for an audit database of its own; else {AUDIT_OWNER_URL_VARIABLE}.",
            show_default=False,
        ),
    ] = None,
    only_audit: Annotated[
        bool, typer.Option(help="Only the audit schema; --database-url is where it goes.")
    ] = False,
    status: Annotated[bool, typer.Option(help="Show what is installed; change nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for scripts.")] = False,
) -> None:
    """Create roles, schemas and tables, or bring them up to date. Safe to run twice."""
    url = database_url or os.environ.get(OWNER_URL_VARIABLE)
    audit_url = audit_database_url or os.environ.get(AUDIT_OWNER_URL_VARIABLE)
    if not url:
        errors.print(f"countersign migrate: --database-url or {OWNER_URL_VARIABLE} is needed")
        raise typer.Exit(2)
    targets = {url: AUDIT} if only_audit else _targets(url, audit_url)
    versions = asyncio.run(_run(targets, status=status))
    if as_json:
        show_json(versions)
        return
    show_table("Migrations", ["schema", "version"], versions.items())
    if not status:
        console.print("The database is up to date.")


def _targets(url: str, audit_url: str | None) -> dict[str, Sequence[str]]:
    """Which packages go to which database."""
    if audit_url is None or audit_url == url:
        return {url: (*OTHERS, *AUDIT)}
    return {url: OTHERS, audit_url: AUDIT}


async def _run(targets: Mapping[str, Sequence[str]], *, status: bool) -> dict[str, str | None]:
    """The versions that are installed in the end, by schema."""
    passwords = {
        role: os.environ[name] for role, name in PASSWORD_VARIABLES.items() if name in os.environ
    }
    versions: dict[str, str | None] = {}
    for url, packages in targets.items():
        if not status:
            await upgrade(url, packages, passwords=passwords)
        installed = await current(url)
        versions |= {schema_of(package): installed[schema_of(package)] for package in packages}
    return versions
