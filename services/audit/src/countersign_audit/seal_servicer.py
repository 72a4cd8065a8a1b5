"""From a request about seals to a command and back; nothing is decided here."""

from typing import Any

from countersign.audit.v1 import seal_service_pb2 as pb
from countersign.audit.v1 import seal_service_pb2_grpc as pb_grpc
from countersign_audit.commands.legal_hold import LegalHold
from countersign_audit.commands.list_checkpoints import ListCheckpoints
from countersign_audit.seal_keys import PublicKeys
from countersign_audit.seal_messages import hold_message, keys_message, seal_message
from countersign_platform.rpc.call import current_call


class SealServicer(pb_grpc.SealServiceServicer):
    """countersign.audit.v1.SealService."""

    def __init__(
        self, list_checkpoints: ListCheckpoints, legal_hold: LegalHold, keys: PublicKeys
    ) -> None:
        self._list_checkpoints = list_checkpoints
        self._legal_hold = legal_hold
        self._keys = keys

    async def ListCheckpoints(  # noqa: N802 — the contract's name
        self, request: pb.ListCheckpointsRequest, _context: Any
    ) -> pb.ListCheckpointsResponse:
        """Lists the caller's org."""
        page = await self._list_checkpoints(
            current_call().org_id, request.page_size, request.page_token
        )
        seals = [seal_message(seal) for seal in page.seals]
        return pb.ListCheckpointsResponse(seals=seals, next_page_token=page.next_page_token)

    async def ListSealKeys(  # noqa: N802 — the contract's name
        self, _request: pb.ListSealKeysRequest, _context: Any
    ) -> pb.ListSealKeysResponse:
        """The same for every org."""
        return keys_message(self._keys)

    async def GetLegalHold(  # noqa: N802 — the contract's name
        self, _request: pb.GetLegalHoldRequest, _context: Any
    ) -> pb.GetLegalHoldResponse:
        """Of the caller's org."""
        hold = await self._legal_hold.get(current_call().org_id)
        return pb.GetLegalHoldResponse(hold=hold_message(hold))

    async def SetLegalHold(  # noqa: N802 — the contract's name
        self, request: pb.SetLegalHoldRequest, _context: Any
    ) -> pb.SetLegalHoldResponse:
        """Of the caller's org."""
        call = current_call()
        hold = await self._legal_hold.set(
            call, call.org_id, held=request.held, reason=request.reason
        )
        return pb.SetLegalHoldResponse(hold=hold_message(hold))
