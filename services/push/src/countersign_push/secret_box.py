"""Seals the secrets of ERP connections: AES-256-GCM under a ring of named keys.

A sealed value is nonce (12 random bytes) followed by ciphertext and tag; the id of its key
stands beside it. Org and connection are associated data, so a value that is copied to
another row does not open there. Random nonces allow 2**32 seals per key; rotate long before.
"""

import base64
import binascii
import os
import re
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_KEY_BYTES = 32
_NONCE_BYTES = 12
_KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class SecretsUnreadable(Exception):
    """A sealed value does not open: unknown key, other owner, or altered bytes."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed value and the id of the key that seals it."""

    key_id: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Owner:
    """What a sealed value belongs to; it opens for nobody else."""

    org_id: UUID
    connection_id: UUID

    def associated_data(self) -> bytes:
        """32 bytes: both ids, in this order."""
        return self.org_id.bytes + self.connection_id.bytes


class KeyRing:
    """Keys by id. The current one seals; every one opens what it sealed."""

    def __init__(self, current_id: str, keys: dict[str, bytes]) -> None:
        """`keys` are 32 bytes each; `current_id` is one of their ids."""
        self.current_id = current_id
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}

    @classmethod
    def parse(cls, text: str) -> Self:
        """From "id:base64,id2:base64"; the first key is the current one.

        Raises:
            ValueError: no key, a malformed one, one that is not 32 bytes, or an id twice. The
                message names the entry by position or id and never shows key material.
        """
        entries = [_parse_entry(n, entry) for n, entry in enumerate(text.strip().split(","), 1)]
        keys = dict(entries)
        if len(keys) < len(entries):
            raise ValueError("two keys have the same id")
        return cls(entries[0][0], keys)

    def seal(self, plaintext: bytes, owner: Owner) -> Sealed:
        """Seal `plaintext` for `owner` under the current key."""
        nonce = os.urandom(_NONCE_BYTES)
        cipher = self._ciphers[self.current_id]
        sealed = cipher.encrypt(nonce, plaintext, owner.associated_data())
        return Sealed(self.current_id, nonce + sealed)

    def open(self, sealed: Sealed, owner: Owner) -> bytes:
        """The plaintext that was sealed for `owner`.

        Raises:
            SecretsUnreadable: it was sealed for another owner or by a key not in the ring, or
                it was altered.
        """
        cipher = self._ciphers.get(sealed.key_id)
        if cipher is None:
            raise SecretsUnreadable(f"no key {sealed.key_id!r} in the ring")
        nonce, ciphertext = sealed.data[:_NONCE_BYTES], sealed.data[_NONCE_BYTES:]
        try:
            return cipher.decrypt(nonce, ciphertext, owner.associated_data())
        except (InvalidTag, ValueError) as error:
            raise SecretsUnreadable(f"does not open with key {sealed.key_id!r}") from error


def _parse_entry(position: int, entry: str) -> tuple[str, bytes]:
    key_id, colon, encoded = entry.strip().partition(":")
    if not colon or not _KEY_ID.fullmatch(key_id):
        raise ValueError(f"key {position} is not of the form id:base64")
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise ValueError(f"key {key_id!r} is not base64") from None
    if len(key) != _KEY_BYTES:
        raise ValueError(f"key {key_id!r} has {len(key)} bytes, not {_KEY_BYTES}")
    return key_id, key
