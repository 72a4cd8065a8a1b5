"""One public key and the single algorithm that it may be used with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK
from jwt.exceptions import PyJWTError

MIN_RSA_BITS = 2048

_log = structlog.get_logger(__name__)

PublicKey = Ed25519PublicKey | EllipticCurvePublicKey | RSAPublicKey


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A key of the set. `algorithm` is EdDSA, ES256 or RS256, pinned by the key itself."""

    kid: str
    algorithm: str
    key: PublicKey


def parse_key_set(document: Any) -> dict[str, VerificationKey]:
    """Usable keys of a JWKS document by kid; entries that are no signing keys are left out.

    Raises:
        ValueError: not a key set, or nothing in it can verify a token.
    """
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        raise ValueError("not a JSON Web Key Set")  # noqa: TRY004 — content, not type
    keys: dict[str, VerificationKey] = {}
    for entry in document["keys"]:
        key = _parse_key(entry)
        if key is None:
            kid = entry.get("kid") if isinstance(entry, dict) else None
            _log.warning("jwks_key_ignored", kid=kid)
        else:
            keys[key.kid] = key
    if not keys:
        raise ValueError("no usable signing key in the set")
    return keys


def _parse_key(entry: Any) -> VerificationKey | None:
    if not isinstance(entry, dict) or not isinstance(entry.get("kid"), str):
        return None
    algorithm = _algorithm_of(entry)
    if algorithm is None or entry.get("use", "sig") != "sig" or not entry["kid"]:
        return None
    public = {name: value for name, value in entry.items() if name != "d"}
    try:
        key = PyJWK.from_dict(public, algorithm=algorithm).key
    except (PyJWTError, ValueError, TypeError):
        return None
    if isinstance(key, RSAPublicKey) and key.key_size < MIN_RSA_BITS:
        return None
    return VerificationKey(kid=entry["kid"], algorithm=algorithm, key=key)


def _algorithm_of(entry: Mapping[str, Any]) -> str | None:
    """The algorithm that the key's type allows; a stated `alg` must be the same one."""
    by_type = {("RSA", None): "RS256", ("EC", "P-256"): "ES256", ("OKP", "Ed25519"): "EdDSA"}
    curve = None if entry.get("kty") == "RSA" else entry.get("crv")
    algorithm = by_type.get((str(entry.get("kty")), curve))
    return algorithm if entry.get("alg", algorithm) == algorithm else None
