"""Sums up an org's exports."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from countersign_core.errors import FieldError, InvalidRequest
from countersign_platform.rpc.call import Call
from countersign_push.export_figures import ExportFigures, Stretch, WaitingFigures
from countersign_push.store.statistics import StatisticsStore

LONGEST = timedelta(days=100)


@dataclass(frozen=True, slots=True)
class Statistics:
    """What was pushed in a stretch of time, and what waits now."""

    figures: Sequence[ExportFigures]
    waiting: Sequence[WaitingFigures]


class GetExportStatistics:
    """Sums over the exports of the caller's org."""

    def __init__(self, statistics: StatisticsStore) -> None:
        self._statistics = statistics

    async def __call__(self, call: Call, stretch: Stretch) -> Statistics:
        """The sums of `stretch`.

        Raises:
            InvalidRequest: the stretch is empty or longer than 100 days; no such time zone.
        """
        if not timedelta() < stretch.end - stretch.start <= LONGEST:
            wrong = FieldError("created_to", "must be after created_from, by at most 100 days")
            raise InvalidRequest([wrong])
        figures, waiting = await asyncio.gather(
            self._statistics.figures(call.org_id, stretch),
            self._statistics.waiting(call.org_id),
        )
        return Statistics(figures, waiting)
