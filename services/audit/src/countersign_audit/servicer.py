"""From a request to a command and back; nothing is decided here."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from countersign.audit.v1 import audit_service_pb2 as pb
from countersign.audit.v1 import audit_service_pb2_grpc as pb_grpc
from countersign_audit.commands.append_events import AppendEvents
from countersign_audit.commands.export_events import ExportEvents, Wanted
from countersign_audit.commands.list_events import ListEvents
from countersign_audit.commands.verify_chain import VerifyChain
from countersign_audit.messages import events_of, filters_of, message_of
from countersign_audit.replies import piece_reply
from countersign_audit.seal_messages import verdict_message
from countersign_platform.rpc.call import current_call


class AuditServicer(pb_grpc.AuditServiceServicer):
    """countersign.audit.v1.AuditService."""

    def __init__(
        self,
        append_events: AppendEvents,
        list_events: ListEvents,
        export_events: ExportEvents,
        verify_chain: VerifyChain,
    ) -> None:
        self._append_events = append_events
        self._list_events = list_events
        self._export_events = export_events
        self._verify_chain = verify_chain

    async def AppendEvents(  # noqa: N802 — the contract's name
        self, request: pb.AppendEventsRequest, _context: Any
    ) -> pb.AppendEventsResponse:
        """Records a batch of any orgs."""
        done = await self._append_events(events_of(request))
        return pb.AppendEventsResponse(appended=done.appended, already_known=done.already_known)

    async def ListEvents(  # noqa: N802 — the contract's name
        self, request: pb.ListEventsRequest, _context: Any
    ) -> pb.ListEventsResponse:
        """Lists the caller's org."""
        page = await self._list_events(
            current_call().org_id, filters_of(request), request.page_size, request.page_token
        )
        events = [message_of(link) for link in page.links]
        return pb.ListEventsResponse(events=events, next_page_token=page.next_page_token)

    async def ExportEvents(  # noqa: N802 — the contract's name
        self, request: pb.ExportEventsRequest, _context: Any
    ) -> AsyncIterator[pb.ExportEventsResponse]:
        """Streams the caller's org."""
        wanted = Wanted(filters_of(request), request.after_seq, request.up_to_seq)
        async with aclosing(self._export_events(current_call(), wanted)) as pieces:
            async for piece in pieces:
                yield piece_reply(piece)

    async def VerifyChain(  # noqa: N802 — the contract's name
        self, request: pb.VerifyChainRequest, _context: Any
    ) -> pb.VerifyChainResponse:
        """Verifies the caller's org."""
        verdict = await self._verify_chain(current_call().org_id, request.from_seq, request.to_seq)
        return verdict_message(verdict)
