"""At which step of a delivery each life of a worker ends, drawn from the seed."""

import random
from dataclasses import dataclass, field

from countersign_chaos.world.steps import Step


@dataclass
class Mortality:
    """Draws the ends; they come only while the world is armed.

    `sleeps`: the share of lives that fall asleep at their step in place of dying.
    `latest_passage`: the last passage of its step that a life can end at.
    """

    chance: random.Random
    sleeps: float = 0.3
    latest_passage: int = 60
    steps: tuple[Step, ...] = tuple(Step)
    drawn: dict[str, int] = field(default_factory=dict)

    def next_life(self) -> dict[str, str]:
        """Environment of a worker's next life."""
        step = self.chance.choice(self.steps)
        passage = self.chance.randint(1, self.latest_passage)
        # Half a file that is gone on with is no crash; nobody wakes up in the middle of a write.
        sleeps = self.chance.random() < self.sleeps and step is not Step.DURING_WRITE
        self.drawn[step.value] = self.drawn.get(step.value, 0) + 1
        return {
            "COUNTERSIGN_CHAOS_END_AT": step.value,
            "COUNTERSIGN_CHAOS_PASSAGE": str(passage),
            "COUNTERSIGN_CHAOS_SLEEPS": "1" if sleeps else "0",
        }
