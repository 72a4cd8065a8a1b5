"""Export: the org's events, oldest first, in pieces, however many there are."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

import structlog

from countersign_audit.chain import timestamp_text
from countersign_audit.event import Head, Link
from countersign_audit.filter_check import require_sensible
from countersign_audit.metrics import EXPORTED, EXPORTS_NOT_RECORDED
from countersign_audit.own_acts import OwnActs
from countersign_audit.ports import EventFilters, Extent, TrailReader
from countersign_core.audit_actions import AuditAction, EntityType
from countersign_core.errors import CountersignError, FieldError, InvalidRequest
from countersign_core.reasons import Reason
from countersign_platform.rpc.call import Call

# Events read at a time.
ROWS = 250
# Seqs looked at by one statement: a filter that fits hardly anything must not make it long.
WINDOW = 20_000
# Of `before` and `after` together: what a piece holds must fit into one message (32 MiB).
PIECE_CHARACTERS = 4_000_000

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to export: events above `after_seq` up to `up_to_seq` (0: the head) that fit."""

    filters: EventFilters
    after_seq: int = 0
    up_to_seq: int = 0


@dataclass(frozen=True, slots=True)
class End:
    """What the whole stream held, and where the chain ended when it began.

    `last` is the last link of the stream; its hash is empty when there was none.
    """

    count: int
    last: Head
    head: Head


@dataclass(frozen=True, slots=True)
class Piece:
    """Links in order of seq; `end` in the last piece only."""

    links: Sequence[Link]
    looked_up_to: int
    up_to: int
    end: End | None = None


class ExportEvents:
    """Streams what is on record now, and records that it was asked for."""

    def __init__(self, trail: TrailReader, own_acts: OwnActs) -> None:
        self._trail = trail
        self._own_acts = own_acts

    async def __call__(self, call: Call, wanted: Wanted) -> AsyncGenerator[Piece, None]:
        """The pieces.

        Raises:
            InvalidRequest: filters that could match nothing by mistake; a range upside down.
            CountersignError: DEADLINE_EXCEEDED, between two pieces.
        """
        require_sensible(wanted.filters)
        if wanted.up_to_seq and wanted.up_to_seq < wanted.after_seq:
            raise InvalidRequest([FieldError("up_to_seq", "is below after_seq")])
        extent = await self._trail.extent(call.org_id)
        # Before anything leaves: nobody reads a trail unseen. After the extent: what is
        # streamed does not hold the record of its own export.
        await self._record_if_it_can_be(call, wanted, extent)
        async for piece in self._pieces(call, wanted, extent):
            EXPORTED.inc(len(piece.links))
            yield piece

    async def _pieces(
        self, call: Call, wanted: Wanted, extent: Extent
    ) -> AsyncGenerator[Piece, None]:
        last = _last_seq(wanted, extent)
        position, count, last_link = wanted.after_seq, 0, Head(wanted.after_seq, b"")
        while position < last:
            _require_time(call)
            window_end = min(position + WINDOW, last)
            links = await self._read(call.org_id, wanted.filters, position, window_end)
            position = links[-1].seq if len(links) >= ROWS else window_end
            for some in _fitting(links):
                count += len(some)
                last_link = Head(some[-1].seq, some[-1].hash)
                yield Piece(some, some[-1].seq, last)
            if not links:
                yield Piece((), position, last)
        yield Piece((), max(position, last), last, End(count, last_link, extent.head))

    async def _read(
        self, org_id: UUID, filters: EventFilters, after_seq: int, up_to_seq: int
    ) -> Sequence[Link]:
        return await self._trail.following(org_id, filters, after_seq, up_to_seq, ROWS)

    async def _record_if_it_can_be(self, call: Call, wanted: Wanted, extent: Extent) -> None:
        """Records the export; a trail so broken that nothing can be appended is still evidence.

        Raises:
            CountersignError: UNAVAILABLE; the database is away, and so is what was asked for.
        """
        try:
            await self._record(call, wanted, extent)
        except CountersignError:
            raise
        except Exception as error:  # noqa: BLE001 — an auditor must get at what is left
            EXPORTS_NOT_RECORDED.inc()
            _log.error("export_not_recorded", org_id=str(call.org_id), exc_info=error)

    async def _record(self, call: Call, wanted: Wanted, extent: Extent) -> None:
        after = {
            "filters": filters_given(wanted.filters),
            "after_seq": wanted.after_seq,
            "up_to_seq": _last_seq(wanted, extent),
        }
        await self._own_acts.record(
            call,
            AuditAction.AUDIT_EXPORTED,
            EntityType.AUDIT_TRAIL,
            call.org_id,
            org_id=call.org_id,
            after=after,
        )


def filters_given(filters: EventFilters) -> dict[str, Any]:
    """The filters that filter, as JSON knows them."""
    given = {name: value for name, value in asdict(filters).items() if value}
    for name in ("occurred_from", "occurred_to"):
        if name in given:
            given[name] = timestamp_text(given[name])
    if "actions" in given:
        given["actions"] = sorted(set(filters.actions))
    return given


def _last_seq(wanted: Wanted, extent: Extent) -> int:
    # A link beyond the head is there only if somebody put it there. It is shown, not hidden.
    on_record = extent.first_beyond or extent.head.seq
    return min(wanted.up_to_seq, on_record) if wanted.up_to_seq else on_record


def _fitting(links: Sequence[Link]) -> Sequence[Sequence[Link]]:
    """The links in pieces that fit into a message each."""
    pieces: list[list[Link]] = []
    characters = 0
    for link in links:
        characters += len(link.event.before_json) + len(link.event.after_json)
        if not pieces or characters > PIECE_CHARACTERS:
            pieces.append([])
            characters = len(link.event.before_json) + len(link.event.after_json)
        pieces[-1].append(link)
    return pieces


def _require_time(call: Call) -> None:
    remaining = call.remaining_seconds()
    if remaining is not None and remaining <= 0:
        raise CountersignError(Reason.DEADLINE_EXCEEDED, "The deadline is over; go on from here")
