"""Between the contract's messages and what the trail records."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from countersign.audit.v1 import audit_service_pb2 as pb
from countersign_audit.event import Event, Link
from countersign_audit.ports import EventFilters
from countersign_core.errors import FieldError, InvalidRequest

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NANOS_PER_SECOND = 1_000_000_000


def events_of(request: pb.AppendEventsRequest) -> list[Event]:
    """The events, in order; seq and hashes that came along are dropped.

    Raises:
        InvalidRequest: an `occurred_at` that is no moment; every such event is named.
    """
    moments = list(_moments(request.events))
    errors = [moment for moment in moments if isinstance(moment, FieldError)]
    if errors:
        raise InvalidRequest(errors)
    return [
        _event(message, moment)
        for message, moment in zip(request.events, moments, strict=True)
        if isinstance(moment, datetime)
    ]


def filters_of(request: pb.ListEventsRequest | pb.ExportEventsRequest) -> EventFilters:
    """The filters, without the paging.

    Raises:
        InvalidRequest: `occurred_from` or `occurred_to` is no moment.
    """
    return EventFilters(
        actions=tuple(request.actions),
        draft_order_id=request.draft_order_id,
        entity_type=request.entity_type,
        entity_id=request.entity_id,
        actor_user_id=request.actor_user_id,
        request_id=request.request_id,
        occurred_from=_bound(request, "occurred_from"),
        occurred_to=_bound(request, "occurred_to"),
    )


def message_of(link: Link) -> pb.AuditEvent:
    """The link with all that its hash covers."""
    event = link.event
    return pb.AuditEvent(
        event_id=str(event.event_id),
        org_id=str(event.org_id),
        seq=link.seq,
        actor_user_id=event.actor_user_id,
        action=event.action,
        entity_type=event.entity_type,
        entity_id=event.entity_id,
        draft_order_id=event.draft_order_id,
        before_json=event.before_json,
        after_json=event.after_json,
        request_id=event.request_id,
        trace_id=event.trace_id,
        ip=event.ip,
        user_agent=event.user_agent,
        occurred_at=timestamp_of(event.occurred_at),
        hash=link.hash.hex(),
        prev_hash=link.prev_hash.hex(),
    )


def moment_of(timestamp: Timestamp) -> datetime:
    """The moment in microseconds, UTC; what is finer is cut off.

    Raises:
        ValueError: outside the years 1 to 9999, or nanoseconds out of range.
    """
    if not 0 <= timestamp.nanos < _NANOS_PER_SECOND:
        raise ValueError("has nanos outside of 0 to 999,999,999")
    try:
        microseconds = timestamp.nanos // 1000
        return _EPOCH + timedelta(seconds=timestamp.seconds, microseconds=microseconds)
    except OverflowError as error:
        raise ValueError("is outside of the years 1 to 9999") from error


def timestamp_of(moment: datetime) -> Timestamp:
    """The exact counterpart of moment_of."""
    since = moment - _EPOCH
    return Timestamp(seconds=since.days * 86_400 + since.seconds, nanos=since.microseconds * 1000)


def _moments(messages: Iterable[pb.AuditEvent]) -> Iterator[datetime | FieldError]:
    for index, message in enumerate(messages):
        try:
            yield moment_of(message.occurred_at)
        except ValueError as error:
            yield FieldError(f"events[{index}].occurred_at", str(error))


def _event(message: pb.AuditEvent, occurred_at: datetime) -> Event:
    return Event(
        org_id=UUID(message.org_id),
        event_id=UUID(message.event_id),
        occurred_at=occurred_at,
        actor_user_id=message.actor_user_id,
        action=message.action,
        entity_type=message.entity_type,
        entity_id=message.entity_id,
        draft_order_id=message.draft_order_id,
        request_id=message.request_id,
        trace_id=message.trace_id,
        ip=message.ip,
        user_agent=message.user_agent,
        before_json=message.before_json,
        after_json=message.after_json,
    )


def _bound(
    request: pb.ListEventsRequest | pb.ExportEventsRequest,
    name: Literal["occurred_from", "occurred_to"],
) -> datetime | None:
    timestamp = getattr(request, name) if request.HasField(name) else None
    try:
        return None if timestamp is None else moment_of(timestamp)
    except ValueError as error:
        raise InvalidRequest([FieldError(name, str(error))]) from error
