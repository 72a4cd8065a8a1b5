"""One round's figures, and what several rounds of the same thing say together."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Round:
    """What one round of one contender measured.

    `latencies_ms` are per request, in no order; `cpu_seconds` per process by name.
    """

    requests: int
    errors: int
    seconds: float
    latencies_ms: Sequence[float] = ()
    cpu_seconds: Mapping[str, float] = field(default_factory=dict)
    resident_mib: Mapping[str, float] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        """Requests that succeeded, per second."""
        return self.requests / self.seconds if self.seconds else 0.0

    @property
    def cpu_ms_per_request(self) -> float:
        """Of all processes together."""
        return 1000 * sum(self.cpu_seconds.values()) / max(1, self.requests)

    def cpu_ms_by_process(self) -> dict[str, float]:
        """Per request, by process."""
        return {
            name: 1000 * used / max(1, self.requests) for name, used in self.cpu_seconds.items()
        }

    def percentile(self, percent: float) -> float:
        """Latency in milliseconds that this share of the requests stayed below; 0 if none."""
        return percentile(self.latencies_ms, percent)


def percentile(values: Sequence[float], percent: float) -> float:
    """Nearest rank; 0 of no values."""
    if not values:
        return 0.0
    ordered = sorted(values)
    rank = min(len(ordered) - 1, max(0, round(percent / 100 * len(ordered) + 0.5) - 1))
    return ordered[rank]


@dataclass(frozen=True, slots=True)
class Summary:
    """Medians over the rounds; `spread` is the distance of the outermost rounds, as a share."""

    rounds: int
    per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    cpu_ms: float
    cpu_ms_by_process: Mapping[str, float]
    resident_mib: Mapping[str, float]
    errors: int
    spread: float

    @property
    def own_cpu_ms(self) -> float:
        """Per request, of everything but the load."""
        return sum(value for name, value in self.cpu_ms_by_process.items() if name != "load")


def summary(rounds: Sequence[Round]) -> Summary:
    """What the rounds say together; one at least."""
    rates = [each.per_second for each in rounds]
    median = statistics.median(rates)
    return Summary(
        rounds=len(rounds),
        per_second=median,
        p50_ms=statistics.median(each.percentile(50) for each in rounds),
        p95_ms=statistics.median(each.percentile(95) for each in rounds),
        p99_ms=statistics.median(each.percentile(99) for each in rounds),
        cpu_ms=statistics.median(each.cpu_ms_per_request for each in rounds),
        cpu_ms_by_process=_median_by_name([each.cpu_ms_by_process() for each in rounds]),
        resident_mib=_median_by_name([each.resident_mib for each in rounds]),
        errors=sum(each.errors for each in rounds),
        spread=(max(rates) - min(rates)) / median if median else 0.0,
    )


def _median_by_name(figures: Sequence[Mapping[str, float]]) -> dict[str, float]:
    names = dict.fromkeys(name for each in figures for name in each)
    return {name: statistics.median(each.get(name, 0.0) for each in figures) for name in names}
