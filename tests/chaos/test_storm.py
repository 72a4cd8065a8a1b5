"""The chaos runs that `countersign chaos` makes, small: faults found, and faults planted."""

import random
from pathlib import Path

import pytest

from countersign_chaos.checker.finding import Kind
from countersign_chaos.clients.orders import Orders
from countersign_chaos.round import Round
from countersign_chaos.run import Options, run
from countersign_chaos.sabotage.trials import TRIALS
from countersign_chaos.world.mortality import Mortality
from countersign_chaos.world.terms import Terms
from countersign_chaos.world.world import World

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

SEED = 6
SMALL = Terms(replicas={"audit": 1, "approval": 1, "push": 1, "worker": 2, "gateway": 1})


async def test_a_doubled_file_in_a_live_run_is_found(tmp_path: Path) -> None:
    """A delivered file is renamed into its dropzone once more, and that is all that is wrong."""
    mortality = Mortality(random.Random(SEED))
    async with World(SMALL, mortality) as world:
        this = Round(world, 1, random.Random(SEED), Orders(random.Random(SEED), None), tmp_path)
        try:
            await this.open()
            this.calm_down()
            this.load.begin(this.zones, 1, this.observer)
            [zone] = [zone for zone in this.zones if zone.name == "never"]
            delivered = await this.observer.first_file(zone)
            beside = delivered.with_name("again")
            beside.write_bytes(delivered.read_bytes())
            beside.replace(delivered)
            await this.load.end()
            settled = await this.settle(patience=20)
        finally:
            await this.close()
            world.remove()
    assert {finding.kind for finding in settled.findings} == {Kind.DOUBLED}
    assert len(settled.findings) == 1


async def test_a_worker_that_records_no_token_is_found_out() -> None:
    """Whoever takes over writes a second file, or finds the name taken and comes to no end."""
    options = TRIALS["staged-report"].options(
        Options(seed=SEED, seconds=30, operators=2, terms=SMALL)
    )
    outcome = await run(options)
    assert {Kind.DOUBLED, Kind.STUCK} & {finding.kind for finding in outcome.findings}
