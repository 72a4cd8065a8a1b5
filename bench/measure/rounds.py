"""Contenders take turns, so that what slows the machine for a while slows all of them."""

import json
import platform
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench.measure.figures import Round, Summary, summary

Contender = Callable[[int], Awaitable[Round]]


@dataclass(slots=True)
class Result:
    """One benchmark: what its contenders did, and how each target came out."""

    name: str
    question: str
    contenders: dict[str, Summary] = field(default_factory=dict)
    targets: list["Target"] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    machine: str = ""

    def target(
        self,
        text: str,
        value: float,
        *,
        at_least: float | None = None,
        at_most: float | None = None,
    ) -> None:
        """Records a ratio or a figure with the bound that it should keep."""
        self.targets.append(Target(text, value, at_least, at_most))


@dataclass(frozen=True, slots=True)
class Target:
    """A figure and its bound, either of them."""

    text: str
    value: float
    at_least: float | None
    at_most: float | None

    @property
    def met(self) -> bool:
        """Whether it keeps every bound it has."""
        return (self.at_least is None or self.value >= self.at_least) and (
            self.at_most is None or self.value <= self.at_most
        )


async def take_turns(
    contenders: Mapping[str, Contender], *, rounds: int, warm_up: bool = True
) -> dict[str, Summary]:
    """`rounds` of each, alternating; each contender is told the number of its round, from 0.

    With `warm_up` one more round comes first and is not counted (round number 0).
    """
    seen: dict[str, list[Round]] = {name: [] for name in contenders}
    for number in range(rounds + warm_up):
        for name, run in contenders.items():
            measured = await run(number)
            if number or not warm_up:
                seen[name].append(measured)
    return {name: summary(each) for name, each in seen.items()}


def save(result: Result, folder: Path) -> None:
    """One JSON file per benchmark."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(asdict(result), indent=2, default=dict)
    (folder / f"{result.name}.json").write_text(text + "\n", encoding="utf-8")


def machine() -> str:
    """What it ran on, in one line."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return f"{platform.system()} {platform.release()}, {model}, Python {platform.python_version()}"
