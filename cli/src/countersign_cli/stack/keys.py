"""Keys of the one-machine stack, made on its first start."""

import base64
import os
import secrets
from itertools import count
from pathlib import Path
from uuid import UUID

from countersign_cli.stack.layout import Layout
from countersign_core.roles import Role
from countersign_platform.auth.minting import KEY_FILE_NAME, create_signing_key, mint_token

SERVICE_TOKEN_SECONDS = 30 * 24 * 3600


def write_private(path: Path, text: str) -> None:
    """Write a secret so that no other account can read it, not even for a moment."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def ensure_keys(layout: Layout) -> None:
    """Make what is missing; service tokens are made anew at each start."""
    if not (layout.keys / "jwks.json").exists():
        create_signing_key(layout.keys)
    if not (layout.audit_keys / KEY_FILE_NAME).exists():
        create_signing_key(layout.audit_keys)
    ring = layout.keys / "secret_keys"
    if not ring.exists():
        write_private(ring, _new_key("k1") + "\n")
    for name, role in (("relay", Role.RELAY), ("worker", Role.WORKER)):
        token = mint(layout, subject=f"service:{name}", roles=[role], seconds=SERVICE_TOKEN_SECONDS)
        write_private(layout.keys / f"{name}.token", token)


def add_secret_key(layout: Layout) -> str:
    """Put a new key in front of the ring, so that it is the current one; its id."""
    ring = layout.keys / "secret_keys"
    entries = ring.read_text().strip().split(",")
    taken = {entry.partition(":")[0].strip() for entry in entries}
    key_id = next(f"k{number}" for number in count(1) if f"k{number}" not in taken)
    # Written beside it first: half a ring would lose every secret.
    beside = layout.keys / "secret_keys.new"
    write_private(beside, ",".join([_new_key(key_id), *entries]) + "\n")
    beside.replace(ring)
    return key_id


def current_secret_key(layout: Layout) -> str:
    """Id of the ring's current key."""
    return (layout.keys / "secret_keys").read_text().partition(":")[0].strip()


def _new_key(key_id: str) -> str:
    return f"{key_id}:{base64.b64encode(secrets.token_bytes(32)).decode()}"


def mint(
    layout: Layout,
    *,
    subject: str,
    roles: list[Role],
    seconds: int,
    org_id: UUID | None = None,
    org_slug: str | None = None,
) -> str:
    """A token signed with the stack's key."""
    return mint_token(
        layout.keys / KEY_FILE_NAME,
        subject=subject,
        roles=roles,
        org_id=org_id,
        org_slug=org_slug,
        lifetime_seconds=seconds,
    )
