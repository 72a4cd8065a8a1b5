"""Keys of the one-machine stack, made on its first start."""

import base64
import os
import secrets
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
    ring = layout.keys / "secret_keys"
    if not ring.exists():
        write_private(ring, "k1:" + base64.b64encode(secrets.token_bytes(32)).decode() + "\n")
    for name, role in (("relay", Role.RELAY), ("worker", Role.WORKER)):
        token = mint(layout, subject=f"service:{name}", roles=[role], seconds=SERVICE_TOKEN_SECONDS)
        write_private(layout.keys / f"{name}.token", token)


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
