"""Which stretch of time to sum up."""

from pydantic import Field

from countersign.push.v1 import push_service_pb2 as pushes
from countersign_gateway.bodies.fields import Body, Moment, timestamp


class StatisticsStretch(Body):
    """Exports by the time at which they were pushed."""

    created_from: Moment
    """Pushed at or after."""
    created_to: Moment
    """Pushed before; at most 100 days later."""
    time_zone: str = Field("", max_length=64, pattern=r"^[A-Za-z0-9_+/-]*$")
    """Whose days, for example Europe/Berlin; UTC unless given."""


def statistics_request(stretch: StatisticsStretch) -> pushes.GetExportStatisticsRequest:
    """The message."""
    return pushes.GetExportStatisticsRequest(
        created_from=timestamp(stretch.created_from),
        created_to=timestamp(stretch.created_to),
        time_zone=stretch.time_zone,
    )
