"""From what a command found to the contract's replies."""

from countersign.audit.v1 import audit_service_pb2 as pb
from countersign_audit.commands.export_events import End, Piece
from countersign_audit.messages import message_of


def piece_reply(piece: Piece) -> pb.ExportEventsResponse:
    """One piece of an export."""
    return pb.ExportEventsResponse(
        events=[message_of(link) for link in piece.links],
        looked_up_to_seq=piece.looked_up_to,
        up_to_seq=piece.up_to,
        end=None if piece.end is None else _end_message(piece.end),
    )


def _end_message(end: End) -> pb.ExportEnd:
    return pb.ExportEnd(
        count=end.count,
        last_seq=end.last.seq,
        last_hash=end.last.hash.hex(),
        head_seq=end.head.seq,
        head_hash=end.head.hash.hex(),
    )
