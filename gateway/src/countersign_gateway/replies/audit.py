"""The audit trail."""

from typing import Any

from pydantic import with_config
from typing_extensions import TypedDict

from countersign.audit.v1 import audit_service_pb2 as audit
from countersign_gateway.replies.values import DOCUMENTED, json_object, moment, text


@with_config(DOCUMENTED)
class AuditEventReply(TypedDict):
    """One act."""

    event_id: str
    org_id: str
    seq: int
    """Position in the org's chain, from 1 and without gaps."""
    actor_user_id: str | None
    """The token's subject; null for the system itself."""
    action: str
    """For example DRAFT_APPROVED."""
    entity_type: str
    """draft_order, erp_export, erp_connection, approval_policy or rpc."""
    entity_id: str
    draft_order_id: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    before_json: str | None
    """`before` in the very characters that the hash covers."""
    after_json: str | None
    """`after` in the very characters that the hash covers."""
    request_id: str | None
    trace_id: str | None
    ip: str | None
    user_agent: str | None
    occurred_at: str | None
    hash: str
    """SHA-256 of this link, hex."""
    prev_hash: str
    """Hash of the link before; 64 zeros for the first."""


@with_config(DOCUMENTED)
class AuditPageReply(TypedDict):
    """One page, newest first."""

    events: list[AuditEventReply]
    next_page_token: str | None
    """Null on the last page."""


@with_config(DOCUMENTED)
class ChainVerdictReply(TypedDict):
    """Whether the chain holds."""

    valid: bool
    checked: int
    """Links checked."""
    head_seq: int
    """seq of the last link checked."""
    head_hash: str | None
    """Hash of the last link checked, hex."""
    first_bad_seq: int | None
    """seq of the first link that does not hold."""
    first_bad_seal: int | None
    """Number of the first checkpoint or tombstone that does not hold, or that the chain
    contradicts."""
    problem: str | None
    """What is wrong with it, in one sentence."""
    seals: int
    """Checkpoints and tombstones checked."""
    sealed_seq: int | None
    """The last seq that one of them vouches for; what follows has the chain alone."""
    removed_seq: int | None
    """Events up to here were removed when their retention ended, as a tombstone says."""
    archive_compared: bool
    """Whether checkpoints and tombstones were compared with those in the archive."""
    archived_seals: int
    """How many of them the archive has."""


def event_reply(event: audit.AuditEvent) -> AuditEventReply:
    """One event."""
    return {
        "event_id": event.event_id,
        "org_id": event.org_id,
        "seq": event.seq,
        "actor_user_id": text(event.actor_user_id),
        "action": event.action,
        "entity_type": event.entity_type,
        "entity_id": event.entity_id,
        "draft_order_id": text(event.draft_order_id),
        "before": json_object(event.before_json),
        "after": json_object(event.after_json),
        "before_json": text(event.before_json),
        "after_json": text(event.after_json),
        "request_id": text(event.request_id),
        "trace_id": text(event.trace_id),
        "ip": text(event.ip),
        "user_agent": text(event.user_agent),
        "occurred_at": moment(event.occurred_at),
        "hash": event.hash,
        "prev_hash": event.prev_hash,
    }


def page_reply(page: audit.ListEventsResponse) -> AuditPageReply:
    """One page of events."""
    return {
        "events": [event_reply(event) for event in page.events],
        "next_page_token": text(page.next_page_token),
    }


def verdict_reply(verdict: audit.VerifyChainResponse) -> ChainVerdictReply:
    """The verdict."""
    return {
        "valid": verdict.valid,
        "checked": verdict.checked,
        "head_seq": verdict.head_seq,
        "head_hash": text(verdict.head_hash),
        "first_bad_seq": verdict.first_bad_seq or None,
        "first_bad_seal": verdict.first_bad_seal or None,
        "problem": text(verdict.problem),
        "seals": verdict.seals,
        "sealed_seq": verdict.sealed_seq or None,
        "removed_seq": verdict.removed_seq or None,
        "archive_compared": verdict.archive_compared,
        "archived_seals": verdict.archived_seals,
    }
