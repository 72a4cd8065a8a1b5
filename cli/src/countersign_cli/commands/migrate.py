"""`countersign migrate`: bring the database to this version."""

import asyncio
import os
from typing import Annotated

import typer

from countersign_cli.output import console, errors, show_json, show_table
from countersign_platform.database.migrate import current, upgrade

OWNER_URL_VARIABLE = "COUNTERSIGN_OWNER_DATABASE_URL"
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
    only_audit: Annotated[
        bool, typer.Option(help="Only the audit schema, for an audit database of its own.")
    ] = False,
    status: Annotated[bool, typer.Option(help="Show what is installed; change nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for scripts.")] = False,
) -> None:
    """Create roles, schemas and tables, or bring them up to date. Safe to run twice."""
    url = database_url or os.environ.get(OWNER_URL_VARIABLE)
    if not url:
        errors.print(f"countersign migrate: --database-url or {OWNER_URL_VARIABLE} is needed")
        raise typer.Exit(2)
    if not status:
        packages = (
            ("countersign_audit",)
            if only_audit
            else (
                "countersign_approval",
                "countersign_push",
                "countersign_audit",
            )
        )
        passwords = {
            role: os.environ[name]
            for role, name in PASSWORD_VARIABLES.items()
            if name in os.environ
        }
        asyncio.run(upgrade(url, packages, passwords=passwords))
    versions = asyncio.run(current(url))
    if as_json:
        show_json(versions)
        return
    show_table("Migrations", ["schema", "version"], versions.items())
    if not status:
        console.print("The database is up to date.")
