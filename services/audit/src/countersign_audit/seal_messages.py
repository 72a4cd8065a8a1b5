"""From seals, keys and verdicts to the contract's messages."""

from countersign.audit.v1 import audit_service_pb2 as pb
from countersign.audit.v1 import seal_service_pb2 as seal_pb
from countersign_audit.commands.verify_chain import Verdict
from countersign_audit.messages import timestamp_of
from countersign_audit.ports import Hold
from countersign_audit.seal_check import SealFlaw
from countersign_audit.seal_keys import PublicKeys
from countersign_audit.seals import Checkpoint, Seal


def seal_message(seal: Seal) -> seal_pb.Seal:
    """The seal with all that its signature covers."""
    seq, chain_hash = seal.last
    message = seal_pb.Seal(
        org_id=str(seal.org_id),
        number=seal.number,
        previous=seal.previous.hex(),
        seq=seq,
        count=seal.count,
        chain_hash=chain_hash.hex(),
        key_id=seal.key_id,
        signature=seal.signature.hex(),
    )
    if isinstance(seal, Checkpoint):
        message.kind = seal_pb.SEAL_KIND_CHECKPOINT
        message.made_at.CopyFrom(timestamp_of(seal.made_at))
        return message
    message.kind = seal_pb.SEAL_KIND_TOMBSTONE
    message.made_at.CopyFrom(timestamp_of(seal.removed_at))
    message.month, message.from_seq = seal.month, seal.from_seq
    message.hash_before = seal.prev_hash.hex()
    return message


def keys_message(keys: PublicKeys) -> seal_pb.ListSealKeysResponse:
    """Every public key."""
    found = [seal_pb.SealKey(key_id=key["kid"], x=key["x"]) for key in keys.to_jwks()["keys"]]
    return seal_pb.ListSealKeysResponse(keys=found)


def hold_message(hold: Hold) -> seal_pb.LegalHold:
    """The hold; when and by whom, if there ever was one."""
    changed_at = None if hold.changed_at is None else timestamp_of(hold.changed_at)
    return seal_pb.LegalHold(
        held=hold.held, reason=hold.reason, changed_by=hold.changed_by, changed_at=changed_at
    )


def verdict_message(verdict: Verdict) -> pb.VerifyChainResponse:
    """The verdict; what does not apply is 0 or empty."""
    flaw = verdict.flaw
    return pb.VerifyChainResponse(
        valid=flaw is None,
        checked=verdict.checked,
        head_seq=verdict.head.seq,
        head_hash=verdict.head.hash.hex(),
        first_bad_seq=flaw.seq if flaw else 0,
        problem=flaw.problem if flaw else "",
        first_bad_seal=flaw.number if isinstance(flaw, SealFlaw) else 0,
        seals=verdict.seals,
        sealed_seq=verdict.sealed_seq,
        removed_seq=verdict.removed_seq,
        archive_compared=verdict.archived_seals is not None,
        archived_seals=verdict.archived_seals or 0,
    )
