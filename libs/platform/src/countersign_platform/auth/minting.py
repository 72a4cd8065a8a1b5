"""Makes signing keys and tokens: for one-machine stacks, service tokens and tests.

Where an identity provider issues the tokens, nothing here is used.
"""

import base64
import hashlib
import json
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

KEY_FILE_NAME = "signing-key.pem"
JWKS_FILE_NAME = "jwks.json"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An Ed25519 key on disk: `key_file` (PEM, mode 0600) and the public set beside it."""

    private_key: Ed25519PrivateKey
    kid: str
    key_file: Path
    jwks_file: Path


def create_signing_key(folder: Path) -> SigningKey:
    """Writes a new key into `folder` and adds its public half to the set there.

    Keys that the set has already stay in it, so tokens signed before stay valid: that is how
    a key is rotated. Drop the old entry once those tokens have expired.
    """
    folder.mkdir(parents=True, exist_ok=True)
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    _write(folder / KEY_FILE_NAME, pem, mode=0o600)
    entries = [*_entries(folder / JWKS_FILE_NAME), public_jwk(key.public_key())]
    document = json.dumps({"keys": entries}, indent=2).encode() + b"\n"
    _write(folder / JWKS_FILE_NAME, document, mode=0o644)
    return load_signing_key(folder / KEY_FILE_NAME)


def load_signing_key(key_file: Path) -> SigningKey:
    """The key in a PEM file.

    Raises:
        ValueError: it is no Ed25519 private key.
    """
    key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{key_file} is no Ed25519 private key")  # noqa: TRY004 — content, not type
    kid = str(public_jwk(key.public_key())["kid"])
    return SigningKey(key, kid, key_file, key_file.with_name(JWKS_FILE_NAME))


def mint_token(
    private_key: SigningKey | Path,
    *,
    subject: str,
    roles: Iterable[str],
    org_id: UUID | str | None = None,
    org_slug: str | None = None,
    lifetime_seconds: float = 3600,
    issuer: str = "countersign",
    audience: str = "countersign",
) -> str:
    """A signed JWT (EdDSA) that is valid from now on for `lifetime_seconds`."""
    key = load_signing_key(private_key) if isinstance(private_key, Path) else private_key
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": issuer,
        "aud": audience,
        "sub": subject,
        "iat": now,
        "exp": now + int(lifetime_seconds),
        "roles": [str(role) for role in roles],
    }
    if org_id is not None:
        claims["org_id"] = str(org_id)
    if org_slug is not None:
        claims["org_slug"] = org_slug
    return jwt.encode(claims, key.private_key, algorithm="EdDSA", headers={"kid": key.kid})


def public_jwk(key: Ed25519PublicKey) -> dict[str, str]:
    """The key as an entry of a key set; its kid is the RFC 7638 thumbprint."""
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    required = {"crv": "Ed25519", "kty": "OKP", "x": _base64url(raw)}
    canonical = json.dumps(required, separators=(",", ":"), sort_keys=True).encode()
    kid = _base64url(hashlib.sha256(canonical).digest())
    return {**required, "kid": kid, "alg": "EdDSA", "use": "sig"}


def _entries(jwks_file: Path) -> list[Any]:
    if not jwks_file.exists():
        return []
    return list(json.loads(jwks_file.read_bytes())["keys"])


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _write(path: Path, content: bytes, *, mode: int) -> None:
    """Replaces `path` in one step; it never exists with a wider mode or half its content."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(content)
    temporary.replace(path)
