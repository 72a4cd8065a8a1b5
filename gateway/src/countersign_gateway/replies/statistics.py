"""Sums over exports."""

from pydantic import with_config
from typing_extensions import TypedDict

from countersign.push.v1 import push_service_pb2 as pushes
from countersign_gateway.replies.values import DOCUMENTED, moment, text


@with_config(DOCUMENTED)
class ExportFiguresReply(TypedDict):
    """Exports of one day through one connection."""

    day: str | None
    """On which they were pushed; null for all days together."""
    erp_connection_id: str | None
    """Null for all connections together."""
    pushed: int
    delivered: int
    """SENT or ACKED."""
    acked: int
    failed: int
    waiting: int
    """PENDING."""
    median_milliseconds: int | None
    """From push to publish, half took no longer; null when nothing was published."""
    p95_milliseconds: int | None
    """The same for 95 of 100."""


@with_config(DOCUMENTED)
class WaitingFiguresReply(TypedDict):
    """What waits now on one connection, whenever it was pushed."""

    erp_connection_id: str
    waiting: int
    retrying: int
    """Failed at least once."""
    held: int
    """With an unknown outcome."""
    oldest_since: str | None
    ack_overdue: int
    """SENT, and the ERP's answer is overdue."""


@with_config(DOCUMENTED)
class StatisticsReply(TypedDict):
    """Sums over the org's exports."""

    figures: list[ExportFiguresReply]
    """By day and connection, by day, by connection, and the total; nothing without exports."""
    waiting: list[WaitingFiguresReply]


def statistics_reply(found: pushes.GetExportStatisticsResponse) -> StatisticsReply:
    """The sums."""
    return {
        "figures": [_figures(each) for each in found.figures],
        "waiting": [_waiting(each) for each in found.waiting],
    }


def _figures(found: pushes.ExportFigures) -> ExportFiguresReply:
    published = found.HasField("median_milliseconds")
    return {
        "day": text(found.day),
        "erp_connection_id": text(found.erp_connection_id),
        "pushed": found.pushed,
        "delivered": found.delivered,
        "acked": found.acked,
        "failed": found.failed,
        "waiting": found.waiting,
        "median_milliseconds": found.median_milliseconds if published else None,
        "p95_milliseconds": found.p95_milliseconds if published else None,
    }


def _waiting(found: pushes.WaitingFigures) -> WaitingFiguresReply:
    return {
        "erp_connection_id": found.erp_connection_id,
        "waiting": found.waiting,
        "retrying": found.retrying,
        "held": found.held,
        "oldest_since": moment(found.oldest_since),
        "ack_overdue": found.ack_overdue,
    }
