"""Seals: signed statements about an org's chain, in one chain of their own per org.

    Checkpoint    so far went the chain, with this hash at its end
    Tombstone     this stretch of it was removed when its retention ended

A seal is numbered from 1 and names the hash of the seal before it, so that a seal that was
swapped or dropped shows. What is signed and hashed is the canonical form: netstrings, as in
docs/decisions/0005. One line of JSON is how a seal is exported and archived.
"""

import hashlib
import json
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeAlias, TypeVar
from uuid import UUID

from countersign_audit.chain import netstring, timestamp_text
from countersign_audit.seal_keys import PublicKeys, SealingKey

# `previous` of seal number 1.
NO_SEAL = bytes(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The org's chain reached `seq`, whose hash is `head_hash` (32 bytes).

    `count` events of it are on record: those from the last removed one (or the first) to `seq`.
    """

    FORM: ClassVar[str] = "countersign-audit-checkpoint-v1"

    org_id: UUID
    number: int
    previous: bytes
    seq: int
    count: int
    head_hash: bytes
    made_at: datetime
    key_id: str = ""
    signature: bytes = b""

    @property
    def name(self) -> str:
        """As flaws call it."""
        return f"checkpoint {self.number} (seq {self.seq})"

    @property
    def last(self) -> tuple[int, bytes]:
        """The last seq that it speaks of, and the hash there."""
        return self.seq, self.head_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """Events `from_seq` to `to_seq`, `count` of them, recorded in `month`, were removed.

    `prev_hash` is that of the link before `from_seq`, `last_hash` that of `to_seq` (32 bytes
    each): the chain goes on from there.
    """

    FORM: ClassVar[str] = "countersign-audit-tombstone-v1"

    org_id: UUID
    number: int
    previous: bytes
    # UTC, for example 2025-03.
    month: str
    from_seq: int
    to_seq: int
    count: int
    prev_hash: bytes
    last_hash: bytes
    removed_at: datetime
    key_id: str = ""
    signature: bytes = b""

    @property
    def name(self) -> str:
        """As flaws call it."""
        return f"tombstone {self.number} (seq {self.from_seq} to {self.to_seq})"

    @property
    def last(self) -> tuple[int, bytes]:
        """The last seq that it speaks of, and the hash there."""
        return self.to_seq, self.last_hash


Seal: TypeAlias = Checkpoint | Tombstone
S = TypeVar("S", Checkpoint, Tombstone)

_KINDS: dict[str, type[Seal]] = {kind.FORM: kind for kind in (Checkpoint, Tombstone)}


def canonical_form(seal: Seal) -> bytes:
    """The bytes that stand for the seal: its fields but the signature, in their order."""
    texts = (_text(getattr(seal, each.name)) for each in fields(seal) if each.name != "signature")
    return "".join(map(netstring, (seal.FORM, *texts))).encode()


def seal_hash(seal: Seal) -> bytes:
    """SHA-256 (32 bytes) of the canonical form: what the next seal names as `previous`."""
    return hashlib.sha256(canonical_form(seal)).digest()


def sign(seal: S, key: SealingKey) -> S:
    """The seal with the key's id and an Ed25519 signature over its canonical form."""
    named = replace(seal, key_id=key.key_id)
    return replace(named, signature=key.sign(canonical_form(named)))


def is_signed(seal: Seal, keys: PublicKeys) -> bool:
    """Whether the signature is that of the key it names, and `keys` knows that key."""
    return keys.verify(seal.key_id, seal.signature, canonical_form(seal))


def to_line(seal: Seal) -> str:
    """One line of JSON, without a line end: `type` is the form's name, bytes are hex."""
    values = {each.name: _json_value(getattr(seal, each.name)) for each in fields(seal)}
    return json.dumps({"type": seal.FORM, **values}, ensure_ascii=False, separators=(",", ":"))


def from_line(line: str | bytes) -> Seal:
    """The exact counterpart of to_line.

    Raises:
        ValueError: it is no seal, or not of a kind that is known here.
    """
    values = json.loads(line)
    if not isinstance(values, dict) or (kind := _KINDS.get(str(values.pop("type", "")))) is None:
        raise ValueError("is no seal of a known type")
    types = {each.name: each.type for each in fields(kind)}
    if values.keys() != types.keys():
        raise ValueError(f"has not the members of {kind.FORM}")
    return kind(**{name: _parsed(types[name], value) for name, value in values.items()})


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex()
    return timestamp_text(value) if isinstance(value, datetime) else str(value)


def _json_value(value: Any) -> Any:
    return value if isinstance(value, int) else _text(value)


def _parsed(kind: Any, value: Any) -> Any:
    if kind is int:
        if type(value) is not int:
            raise ValueError(f"{value!r} is no integer")
        return value
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text")  # noqa: TRY004 — content, not type
    if kind is bytes:
        return bytes.fromhex(value)
    if kind is datetime:
        return datetime.fromisoformat(value).astimezone(UTC)
    return kind(value)
