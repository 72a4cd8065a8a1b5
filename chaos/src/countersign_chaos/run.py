"""A run: the world once, rounds until the time is up."""

import asyncio
import json
import random
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from countersign_chaos.checker.finding import Finding, Kind
from countersign_chaos.clients.orders import Orders
from countersign_chaos.faults.healing import Healing
from countersign_chaos.faults.plan import Strike, plan_one_by_one, plan_storm
from countersign_chaos.faults.striker import Striker
from countersign_chaos.figures import Figures
from countersign_chaos.round import Round, Settled, crashes, not_ready
from countersign_chaos.soak import Growth, Soak
from countersign_chaos.world.mortality import Mortality
from countersign_chaos.world.steps import Step
from countersign_chaos.world.terms import Terms
from countersign_chaos.world.world import World

# Every third round is one of single faults, which shows how long each takes to heal; with few
# operators, so that the time is the fault's and not a queue's.
_ONE_BY_ONE_EVERY = 3
_ONE_BY_ONE_OPERATORS = 1
# Nonsense of the ERP is filed away after half a minute; the last of it comes that long before.
_CALM_SECONDS = 35.0


@dataclass(frozen=True, slots=True)
class Options:
    """What a run is asked for. `operators`: per dropzone; there are five."""

    seed: int
    seconds: float
    round_seconds: float = 75.0
    operators: int = 4
    orders: Path | None = None
    with_faults: bool = True
    # Measure whether memory and connections stay flat.
    soak: bool = False
    # Keep each round's evidence, also where nothing was found.
    keep: bool = False
    # At which steps workers end, how soon, and how many of them sleep; None: as usual.
    steps: tuple[Step, ...] | None = None
    latest_passage: int | None = None
    sleeps: float | None = None
    terms: Terms = field(default_factory=Terms)
    report: Callable[[str], None] = lambda _: None


@dataclass(slots=True)
class Outcome:
    """What came of it. `folder` holds logs and plans; it is kept when something was found."""

    seed: int
    folder: Path
    figures: Figures = field(default_factory=Figures)
    findings: list[Finding] = field(default_factory=list)
    growths: list[Growth] = field(default_factory=list)


class Run:
    """Rounds until the time is up, or one finds something."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._mortality = _mortality(options)
        folder = Path(tempfile.mkdtemp(prefix="countersign-chaos-run-"))
        self.outcome = Outcome(options.seed, folder)

    async def __call__(self) -> Outcome:
        """All of it."""
        outcome, options = self.outcome, self._options
        async with World(options.terms, self._mortality) as world, self._soaked(world):
            end = time.monotonic() + options.seconds
            while not outcome.findings and time.monotonic() < end:
                number = outcome.figures.rounds + 1
                seconds = min(options.round_seconds, end - time.monotonic())
                seen = len(world.ended)
                settled = await self._round(world, number, seconds)
                outcome.findings += settled.findings + crashes(world, seen)
                outcome.findings += await not_ready(world)
                outcome.figures.add(settled.evidence, outcome.findings, settled.seconds)
                options.report(f"round {number}: settled after {settled.seconds:.1f} s")
                if outcome.findings or options.keep:
                    self._keep(world, settled)
        world.remove()
        return outcome

    @asynccontextmanager
    async def _soaked(self, world: World) -> AsyncIterator[None]:
        if not self._options.soak:
            yield
            return
        soak = Soak(world)
        sampling = asyncio.create_task(soak.run())
        try:
            yield
        finally:
            sampling.cancel()
            await asyncio.gather(sampling, return_exceptions=True)
        self.outcome.growths = soak.growths()
        grown = [each for each in self.outcome.growths if not each.is_flat]
        findings = [Finding(Kind.GROWTH, each.process, str(each)) for each in grown]
        self.outcome.findings += findings
        self.outcome.figures.find(findings)

    async def _round(self, world: World, number: int, seconds: float) -> Settled:
        options = self._options
        chance = random.Random(f"{options.seed}/{number}")
        orders = Orders(random.Random(chance.random()), options.orders)
        this = Round(world, number, chance, orders, self.outcome.folder / f"round-{number}")
        try:
            await this.open()
            striker = Striker(world, this.journals["faults"])
            ends_before = len(world.ended)
            this.load.begin(this.zones, self._operators(number), this.observer)
            if options.with_faults:
                self._strike(this, striker, random.Random(chance.random()), number, seconds)
            await self._wait(this, seconds)
            await striker.end()
            self._count(striker, world, ends_before)
            quiet_from = time.monotonic()
            await this.load.end()
            settled = await this.settle(quiet_from)
            if not settled.findings:
                await this.retire()
            return settled
        finally:
            await this.close()

    def _strike(
        self, this: Round, striker: Striker, chance: random.Random, number: int, seconds: float
    ) -> None:
        targets = this.targets()
        if not targets.disks:
            self._options.report("no disk is filled: only root can mount one of its own")
        if _is_one_by_one(number):
            strikes = plan_one_by_one(chance, targets)
            healing = Healing(this.load, this.observer)
            striker.begin_one_by_one(strikes, healing, self.outcome.figures.heal_seconds)
        else:
            strikes = plan_storm(chance, targets, seconds)
            striker.begin_storm(strikes)
        self._write_plan(this, strikes)
        self._options.report(f"round {number}: {len(strikes)} faults in {seconds:.0f} s")

    def _operators(self, number: int) -> int:
        options = self._options
        one_by_one = options.with_faults and _is_one_by_one(number)
        return _ONE_BY_ONE_OPERATORS if one_by_one else options.operators

    async def _wait(self, this: Round, seconds: float) -> None:
        calm_after = max(0.0, seconds - _CALM_SECONDS)
        await asyncio.sleep(calm_after)
        this.calm_down()
        await asyncio.sleep(seconds - calm_after)

    def _count(self, striker: Striker, world: World, ends_before: int) -> None:
        figures = self.outcome.figures
        figures.faults.update(striker.faults)
        figures.kills.update(striker.kills)
        by_fate = [each for each in world.ended[ends_before:] if each.was_fate]
        figures.kills["worker at a step"] += len(by_fate)

    def _write_plan(self, this: Round, strikes: list[Strike]) -> None:
        plan = [strike.as_json() for strike in strikes]
        (this.folder / "plan.json").write_text(json.dumps(plan, indent=1))

    def _keep(self, world: World, settled: Settled) -> None:
        """What was found, what it was found in, and the processes' own logs."""
        folder = self.outcome.folder
        settled.evidence.save(folder / "evidence.json")
        (folder / "findings.txt").write_text("\n".join(map(str, self.outcome.findings)) + "\n")
        for process in world.processes.values():
            (folder / process.log.name).write_bytes(process.log.read_bytes())


def _is_one_by_one(number: int) -> bool:
    return number % _ONE_BY_ONE_EVERY == 0


def _mortality(options: Options) -> Mortality:
    chosen: dict[str, Any] = {
        "steps": options.steps,
        "latest_passage": options.latest_passage,
        "sleeps": options.sleeps,
    }
    given = {name: value for name, value in chosen.items() if value is not None}
    return Mortality(random.Random(f"{options.seed}/mortality"), **given)


async def run(options: Options) -> Outcome:
    """A run with these options."""
    return await Run(options)()
