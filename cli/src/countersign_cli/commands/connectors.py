"""`countersign connectors`: what can serve a connection."""

from typing import Annotated

import typer

from countersign_cli.client import call, open_client
from countersign_cli.output import async_command, show_json, show_table


@async_command
async def connectors(
    as_json: Annotated[bool, typer.Option("--json", help="JSON, with the schemas.")] = False,
) -> None:
    """Connectors that can serve a connection: built in, or announced by a worker."""
    async with open_client() as client:
        found = (await call(client, "GET", "/erp-connectors")).json()["connectors"]
    if as_json:
        show_json(found)
        return
    show_table(
        "Connectors",
        ["type", "title", "secrets"],
        (
            [each["connector_type"], each["title"], ", ".join(each["secret_names"])]
            for each in found
        ),
    )
