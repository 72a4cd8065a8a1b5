"""Checkpoints and tombstones, the keys they are signed with, and legal holds."""

from typing import Literal

from pydantic import with_config
from typing_extensions import TypedDict

from countersign.audit.v1 import seal_service_pb2 as seals
from countersign_gateway.replies.values import DOCUMENTED, moment, text


@with_config(DOCUMENTED)
class CheckpointReply(TypedDict):
    """So far went the org's chain. One line of an exported or archived file, member by member."""

    type: Literal["countersign-audit-checkpoint-v1"]
    org_id: str
    number: int
    """From 1, without gaps, over checkpoints and tombstones."""
    previous: str
    """SHA-256 of the one before, hex; 64 zeros for number 1."""
    seq: int
    """The seq that the chain had reached."""
    count: int
    """Events on record up to there."""
    head_hash: str
    """The chain's hash there, hex."""
    made_at: str | None
    key_id: str
    """RFC 7638 thumbprint of the key that signed."""
    signature: str
    """Ed25519 over the canonical form, hex."""


@with_config(DOCUMENTED)
class TombstoneReply(TypedDict):
    """This stretch of the org's chain was removed when its retention ended."""

    type: Literal["countersign-audit-tombstone-v1"]
    org_id: str
    number: int
    """From 1, without gaps, over checkpoints and tombstones."""
    previous: str
    """SHA-256 of the one before, hex; 64 zeros for number 1."""
    month: str
    """The month (UTC) that the events were recorded in, for example 2025-03."""
    from_seq: int
    to_seq: int
    count: int
    """Events removed."""
    prev_hash: str
    """The chain's hash before from_seq, hex."""
    last_hash: str
    """The chain's hash at to_seq, hex."""
    removed_at: str | None
    key_id: str
    """RFC 7638 thumbprint of the key that signed."""
    signature: str
    """Ed25519 over the canonical form, hex."""


@with_config(DOCUMENTED)
class SealPageReply(TypedDict):
    """One page, oldest first."""

    seals: list[CheckpointReply | TombstoneReply]
    """Checkpoints and tombstones: written one per line, what the offline verifier takes."""
    next_page_token: str | None
    """Null on the last page."""


@with_config(DOCUMENTED)
class SealKeyReply(TypedDict):
    """An Ed25519 public key (RFC 8037)."""

    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    alg: Literal["EdDSA"]
    use: Literal["sig"]
    kid: str
    """RFC 7638 thumbprint."""
    x: str
    """The key, base64url."""


@with_config(DOCUMENTED)
class SealKeysReply(TypedDict):
    """A JSON Web Key Set."""

    keys: list[SealKeyReply]
    """The one that signs now first, then those that signed before."""


@with_config(DOCUMENTED)
class LegalHoldReply(TypedDict):
    """Whether the org's audit trail is held."""

    held: bool
    reason: str | None
    """Why it was held, or why the hold was ended; null when there never was one."""
    changed_by: str | None
    """The token's subject."""
    changed_at: str | None


def seal_page_reply(page: seals.ListCheckpointsResponse) -> SealPageReply:
    """One page of checkpoints and tombstones."""
    return {
        "seals": [_seal_reply(seal) for seal in page.seals],
        "next_page_token": text(page.next_page_token),
    }


def keys_reply(found: seals.ListSealKeysResponse) -> SealKeysReply:
    """The key set."""
    return {
        "keys": [
            {
                "kty": "OKP",
                "crv": "Ed25519",
                "alg": "EdDSA",
                "use": "sig",
                "kid": key.key_id,
                "x": key.x,
            }
            for key in found.keys
        ]
    }


def hold_reply(hold: seals.LegalHold) -> LegalHoldReply:
    """The hold."""
    return {
        "held": hold.held,
        "reason": text(hold.reason),
        "changed_by": text(hold.changed_by),
        "changed_at": moment(hold.changed_at),
    }


def _seal_reply(seal: seals.Seal) -> CheckpointReply | TombstoneReply:
    if seal.kind == seals.SEAL_KIND_CHECKPOINT:
        return {
            "type": "countersign-audit-checkpoint-v1",
            "org_id": seal.org_id,
            "number": seal.number,
            "previous": seal.previous,
            "seq": seal.seq,
            "count": seal.count,
            "head_hash": seal.chain_hash,
            "made_at": moment(seal.made_at),
            "key_id": seal.key_id,
            "signature": seal.signature,
        }
    return {
        "type": "countersign-audit-tombstone-v1",
        "org_id": seal.org_id,
        "number": seal.number,
        "previous": seal.previous,
        "month": seal.month,
        "from_seq": seal.from_seq,
        "to_seq": seal.seq,
        "count": seal.count,
        "prev_hash": seal.hash_before,
        "last_hash": seal.chain_hash,
        "removed_at": moment(seal.made_at),
        "key_id": seal.key_id,
        "signature": seal.signature,
    }
