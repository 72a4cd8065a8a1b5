"""`countersign keys rotate`: connection secrets under the current key, while push works on."""

import asyncio
import os
from pathlib import Path
from typing import Annotated, Any, NoReturn
from urllib.parse import quote

import asyncpg
import typer

from countersign_cli.output import console, errors, show_json, show_table
from countersign_cli.stack.keys import add_secret_key
from countersign_cli.stack.layout import Layout, default_layout
from countersign_core.errors import Unavailable
from countersign_platform.database.pool import Database
from countersign_push.commands.rotate_keys import KeyUse, RotateKeys, Rotation
from countersign_push.secret_box import KeyRing
from countersign_push.store.sealed_values import SealedValueStore

URL_VARIABLE = "COUNTERSIGN_DATABASE_URL"
RING_VARIABLE = "COUNTERSIGN_SECRET_KEYS"
_WRONG_USE = 2


def rotate(
    check: Annotated[
        bool, typer.Option(help="Change nothing; end with 1 if an old key is still needed.")
    ] = False,
    new_key: Annotated[
        bool, typer.Option(help="One-machine stack: put a new key in front of the ring, no more.")
    ] = False,
    database_url: Annotated[
        str | None, typer.Option(help=f"URL of push's role; else {URL_VARIABLE}.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for scripts.")] = False,
) -> None:
    """Seal every connection secret anew under the current key. Safe to repeat and to interrupt.

    Ends with 0 when no old key is needed any more, else with 1.
    """
    layout = default_layout()
    if new_key:
        _add_key(layout)
        return
    ring = _ring(layout)
    url = database_url or os.environ.get(URL_VARIABLE) or _stack_url(layout, ring)
    try:
        done, use = asyncio.run(_rotate(url, ring, check=check))
    except (Unavailable, asyncpg.PostgresError) as error:
        _refuse(f"the database cannot be used: {type(error).__name__}")
    if as_json:
        show_json(_report(done, use))
    else:
        _show(done, use)
    if use.still_needed:
        raise typer.Exit(1)


async def _rotate(url: str, ring: KeyRing, *, check: bool) -> tuple[Rotation, KeyUse]:
    database = await Database.connect(url, "countersign-keys", pool_size=1)
    try:
        rotation = RotateKeys(SealedValueStore(database), ring)
        done = Rotation() if check else await rotation()
        return done, await rotation.use()
    finally:
        await database.close()


def _add_key(layout: Layout) -> None:
    if not (layout.keys / "secret_keys").exists():
        _refuse("--new-key is for the one-machine stack, and there is none here")
    key_id = add_secret_key(layout)
    console.print(
        f"Key {key_id} is in front of the ring. Start the stack anew, then run "
        "`countersign keys rotate`."
    )


def _ring(layout: Layout) -> KeyRing:
    text = os.environ.get(RING_VARIABLE)
    file = Path(os.environ.get(f"{RING_VARIABLE}_FILE") or layout.keys / "secret_keys")
    if text is None and not file.exists():
        _refuse(f"{RING_VARIABLE} or {RING_VARIABLE}_FILE is needed")
    try:
        return KeyRing.parse(file.read_text() if text is None else text)
    except (OSError, ValueError) as error:
        _refuse(f"the key ring cannot be used: {error}")


def _stack_url(layout: Layout, ring: KeyRing) -> str:
    """Push's database in the one-machine stack, while it runs with this very ring."""
    state = layout.read_state() or {}
    if "postgres_port" not in state:
        _refuse(f"--database-url or {URL_VARIABLE} is needed: no stack runs here")
    if state["secret_key"] != ring.current_id:
        _refuse("the stack does not know the new key yet: start it anew first")
    password = quote((layout.postgres / "password").read_text().strip(), safe="")
    port = state["postgres_port"]
    return f"postgresql://countersign_push:{password}@127.0.0.1:{port}/countersign"


def _refuse(why: str) -> NoReturn:
    errors.print(f"countersign keys rotate: {why}", highlight=False)
    raise typer.Exit(_WRONG_USE)


def _report(done: Rotation, use: KeyUse) -> dict[str, Any]:
    return {
        "current_key": use.current_id,
        "sealed_anew": done.sealed_anew,
        "overtaken": done.overtaken,
        "unreadable": [
            {
                "kind": value.kind.value,
                "org_id": str(value.owner.org_id),
                "id": str(value.id),
                "key": value.sealed.key_id,
            }
            for value in done.unreadable
        ],
        "values_by_key": use.values,
        "old_keys_still_needed": sorted(use.still_needed),
    }


def _show(done: Rotation, use: KeyUse) -> None:
    console.print(f"{done.sealed_anew} sealed anew under {use.current_id}.", highlight=False)
    if done.unreadable:
        show_table(
            "Does not open with this ring; left as it is",
            ["kind", "org", "id", "key"],
            [
                [value.kind.value, value.owner.org_id, value.id, value.sealed.key_id]
                for value in done.unreadable
            ],
        )
    for key_id, count in use.still_needed.items():
        console.print(f"Key {key_id} is still needed for {count}.", highlight=False)
    if not use.still_needed:
        console.print("No old key is needed any more.")
