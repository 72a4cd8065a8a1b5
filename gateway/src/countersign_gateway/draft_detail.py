"""A draft order with everything that belongs to it, fetched from three services at once."""

import asyncio

import structlog

from countersign.approval.v1 import approval_service_pb2 as approvals
from countersign.audit.v1 import audit_service_pb2 as audit
from countersign.push.v1 import push_service_pb2 as pushes
from countersign_core.errors import CountersignError
from countersign_gateway.replies.audit import AuditEventReply, event_reply
from countersign_gateway.replies.drafts import DraftDetailReply, Part, draft_reply
from countersign_gateway.replies.exports import ExportReply, export_reply
from countersign_gateway.services import Services, ask

TRAIL_EVENTS = 200
_EXPORTS = 100
# What only adds to the page may not hold it up as long as the page itself.
_PART_SECONDS = 3.0

_log = structlog.get_logger(__name__)


async def draft_detail(services: Services, draft_id: str) -> DraftDetailReply:
    """The draft, its exports and its audit trail.

    Raises:
        CountersignError: the draft cannot be had. Missing parts raise nothing.
    """
    # Two tasks: a gather that is cancelled complains in the log that nobody asked why.
    asked_exports = asyncio.create_task(_exports(services, draft_id))
    asked_trail = asyncio.create_task(_trail(services, draft_id))
    try:
        request = approvals.GetDraftRequest(draft_order_id=draft_id)
        draft = (await ask(services.approval.GetDraft, request)).draft
        exports, trail = await asked_exports, await asked_trail
    finally:
        asked_exports.cancel()
        asked_trail.cancel()
    missing: dict[Part, bool] = {"exports": exports is None, "audit": trail is None}
    return {
        **draft_reply(draft),
        "exports": exports,
        "audit_trail": trail,
        "degraded": [part for part, away in missing.items() if away],
    }


async def _exports(services: Services, draft_id: str) -> list[ExportReply] | None:
    request = pushes.ListExportsRequest(draft_order_id=draft_id, page_size=_EXPORTS)
    try:
        page = await ask(services.push.ListExports, request, seconds=_PART_SECONDS)
    except CountersignError as error:
        _log_missing("exports", error)
        return None
    return [export_reply(row) for row in page.exports]


async def _trail(services: Services, draft_id: str) -> list[AuditEventReply] | None:
    request = audit.ListEventsRequest(draft_order_id=draft_id, page_size=TRAIL_EVENTS)
    try:
        page = await ask(services.audit.ListEvents, request, seconds=_PART_SECONDS)
    except CountersignError as error:
        _log_missing("audit", error)
        return None
    return [event_reply(event) for event in page.events]


def _log_missing(part: Part, error: CountersignError) -> None:
    _log.warning("draft_detail_degraded", part=part, reason=error.reason.value)
