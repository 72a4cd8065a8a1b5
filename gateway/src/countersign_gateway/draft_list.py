"""Lists of drafts, each with its newest export where that is asked for.

Drafts and exports belong to two services. What is asked of the exports (`export_state`,
`error_code`) leads: a page of exports is fetched first, then the drafts that they are of.
"""

from dataclasses import dataclass
from typing import Any

import structlog

from countersign.approval.v1 import draft_pb2 as drafts
from countersign.push.v1 import export_pb2 as exports
from countersign.push.v1 import push_service_pb2 as pushes
from countersign_core.errors import CountersignError, FieldError, InvalidRequest
from countersign_gateway.bodies.filters import (
    DraftFilters,
    DraftSort,
    ExportState,
    list_drafts_request,
)
from countersign_gateway.replies.drafts import DraftPageReply, Part, summary_reply
from countersign_gateway.replies.exports import export_reply
from countersign_gateway.replies.values import text
from countersign_gateway.services import Services, ask

# Past its due time by this much, an export is not merely waiting for its turn.
STUCK_SECONDS = 60
# Pages of exports that are looked through for drafts that fit, before an empty page is answered.
_ROUNDS = 5
# What only adds to the list may not hold it up as long as the list itself.
_PART_SECONDS = 3.0

_STATES: dict[ExportState, dict[str, Any]] = {
    ExportState.RETRYING: {"retrying": True},
    ExportState.STUCK: {"stuck_for_seconds": STUCK_SECONDS},
    ExportState.HELD: {"held": True},
    ExportState.UNACKED: {"statuses": [exports.EXPORT_STATUS_SENT]},
    ExportState.ACK_OVERDUE: {"ack_overdue": True},
}

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Page:
    """Drafts in order, their newest exports as far as they are known, and where to go on."""

    drafts: list[drafts.DraftSummary]
    exports: dict[str, exports.Export]
    token: str
    degraded: list[Part]


async def draft_page(services: Services, filters: DraftFilters) -> DraftPageReply:
    """One page.

    Raises:
        CountersignError: the drafts cannot be had. Exports that only add to them raise nothing.
    """
    if filters.export_state is None and filters.error_code is None:
        page = await _by_drafts(services, filters)
    else:
        page = await _by_exports(services, filters)
    rows = [(row, page.exports.get(row.id)) for row in page.drafts]
    return {
        "drafts": [
            summary_reply(row, None if last is None else export_reply(last)) for row, last in rows
        ],
        "next_page_token": text(page.token),
        "degraded": page.degraded,
    }


async def _by_drafts(services: Services, filters: DraftFilters) -> _Page:
    found = await ask(services.approval.ListDrafts, list_drafts_request(filters))
    page = _Page(list(found.drafts), {}, found.next_page_token, [])
    if filters.with_export and page.drafts:
        await _add_exports(services, page)
    return page


async def _add_exports(services: Services, page: _Page) -> None:
    ids = [row.id for row in page.drafts]
    request = pushes.ListExportsRequest(
        draft_order_ids=ids, newest_of_draft=True, page_size=len(ids)
    )
    try:
        found = await ask(services.push.ListExports, request, seconds=_PART_SECONDS)
    except CountersignError as error:
        _log.warning("draft_list_degraded", part="exports", reason=error.reason.value)
        page.degraded.append("exports")
        return
    page.exports = {each.draft_order_id: each for each in found.exports}


async def _by_exports(services: Services, filters: DraftFilters) -> _Page:
    if filters.sort is not DraftSort.NEWEST:
        wrong = FieldError("sort", "must be NEWEST where export_state or error_code is given")
        raise InvalidRequest([wrong])
    page = _Page([], {}, filters.page_token or "", [])
    for _ in range(_ROUNDS):
        found = await ask(services.push.ListExports, _exports_request(filters, page.token))
        page.token = found.next_page_token
        page.exports = {each.draft_order_id: each for each in found.exports}
        page.drafts = await _drafts_of(services, filters, list(page.exports))
        if page.drafts or not page.token:
            break
    return page


async def _drafts_of(
    services: Services, filters: DraftFilters, ids: list[str]
) -> list[drafts.DraftSummary]:
    """Those of `ids` that the other filters let through, in the order of `ids`."""
    if not ids:
        return []
    request = list_drafts_request(filters)
    request.draft_order_ids.extend(ids)
    request.page_size, request.page_token = len(ids), ""
    found = {row.id: row for row in (await ask(services.approval.ListDrafts, request)).drafts}
    return [found[each] for each in ids if each in found]


def _exports_request(filters: DraftFilters, token: str) -> pushes.ListExportsRequest:
    return pushes.ListExportsRequest(
        **({} if filters.export_state is None else _STATES[filters.export_state]),
        error_code=filters.error_code or "",
        newest_of_draft=True,
        page_size=filters.page_size,
        page_token=token,
    )
