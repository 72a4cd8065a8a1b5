"""The Ed25519 keys of seals: the one that signs now, and the public ones of all times."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from countersign_platform.auth.minting import public_jwk


class SealingKey:
    """Signs seals. Its id is the RFC 7638 thumbprint of the public half."""

    def __init__(self, private_key: Ed25519PrivateKey) -> None:
        self._private_key = private_key
        self.public_key = private_key.public_key()
        self.key_id = str(public_jwk(self.public_key)["kid"])

    @classmethod
    def from_pem(cls, text: str) -> Self:
        """The key in a PEM text, as `openssl genpkey -algorithm ed25519` writes it.

        Raises:
            ValueError: it is no Ed25519 private key without a password.
        """
        problem = "must be an Ed25519 private key in PEM, without a password"
        try:
            key = load_pem_private_key(text.encode(), password=None)
        except (ValueError, TypeError) as error:
            raise ValueError(problem) from error
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError(problem)  # noqa: TRY004 — content, not type
        return cls(key)

    def sign(self, data: bytes) -> bytes:
        """64 bytes."""
        return self._private_key.sign(data)


class PublicKeys:
    """Verifies seals: public keys by their id."""

    def __init__(self, keys: Mapping[str, Ed25519PublicKey]) -> None:
        self._keys = dict(keys)

    @classmethod
    def from_jwks(cls, text: str | bytes) -> Self:
        """The keys of a JSON Web Key Set; ids are thumbprints, whatever the set calls them.

        Raises:
            ValueError: it is no key set, or holds anything but Ed25519 keys.
        """
        try:
            found = [_public_key(entry) for entry in json.loads(text)["keys"]]
        except (ValueError, TypeError, KeyError, binascii.Error) as error:
            raise ValueError("must be a JSON Web Key Set of Ed25519 public keys") from error
        return cls({str(public_jwk(key)["kid"]): key for key in found})

    def with_key(self, key: SealingKey) -> "PublicKeys":
        """These, and before them one more."""
        return PublicKeys({key.key_id: key.public_key, **self._keys})

    def to_jwks(self) -> dict[str, list[dict[str, str]]]:
        """The key set as JSON."""
        return {"keys": [public_jwk(key) for key in self._keys.values()]}

    def to_json(self) -> str:
        """The key set as it stands in a file."""
        return json.dumps(self.to_jwks(), indent=2) + "\n"

    def verify(self, key_id: str, signature: bytes, data: bytes) -> bool:
        """Whether `signature` over `data` was made with the key `key_id`, which is known."""
        key = self._keys.get(key_id)
        if key is None:
            return False
        try:
            key.verify(signature, data)
        except InvalidSignature:
            return False
        return True

    def __contains__(self, key_id: object) -> bool:
        return key_id in self._keys


def _public_key(entry: Any) -> Ed25519PublicKey:
    if entry["kty"] != "OKP" or entry["crv"] != "Ed25519":
        raise ValueError("not Ed25519")
    padded = entry["x"] + "=" * (-len(entry["x"]) % 4)
    return Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(padded))
