"""Sums on the wire."""

from datetime import timedelta

from countersign.push.v1 import push_service_pb2 as pb
from countersign_push.commands.export_statistics import Statistics
from countersign_push.export_figures import ExportFigures, WaitingFigures


def statistics_message(found: Statistics) -> pb.GetExportStatisticsResponse:
    """The whole answer."""
    return pb.GetExportStatisticsResponse(
        figures=[_figures(each) for each in found.figures],
        waiting=[_waiting(each) for each in found.waiting],
    )


def _figures(found: ExportFigures) -> pb.ExportFigures:
    return pb.ExportFigures(
        day="" if found.day is None else found.day.isoformat(),
        erp_connection_id="" if found.connection_id is None else str(found.connection_id),
        pushed=found.pushed,
        delivered=found.delivered,
        acked=found.acked,
        failed=found.failed,
        waiting=found.waiting,
        median_milliseconds=_milliseconds(found.median),
        p95_milliseconds=_milliseconds(found.p95),
    )


def _waiting(found: WaitingFigures) -> pb.WaitingFigures:
    message = pb.WaitingFigures(
        erp_connection_id=str(found.connection_id),
        waiting=found.waiting,
        retrying=found.retrying,
        held=found.held,
        ack_overdue=found.ack_overdue,
    )
    if found.oldest_since is not None:
        message.oldest_since.FromDatetime(found.oldest_since)
    return message


def _milliseconds(time: timedelta | None) -> int | None:
    return None if time is None else time // timedelta(milliseconds=1)
