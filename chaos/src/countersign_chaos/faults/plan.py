"""The plan of a round: what goes wrong, where, when and for how long. Pure; all from a seed."""

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Fault(StrEnum):
    """What can go wrong. The first word is where."""

    # SIGKILL; an init system starts it again.
    PROCESS_KILL = "process kill"
    # SIGSTOP, and SIGCONT later: longer than a lease, or shorter.
    PROCESS_STOP = "process stop"
    # SIGTERM, as a rolling restart does.
    PROCESS_RESTART = "process restart"
    # Immediate shutdown: what was not committed is gone.
    POSTGRES_CRASH = "postgres crash"
    POSTGRES_STOP = "postgres stop"
    BROKER_CRASH = "broker crash"
    BROKER_STOP = "broker stop"
    # A crash after which every queue and message is gone.
    BROKER_WIPE = "broker wipe"
    REDIS_FLUSH = "redis flush"
    REDIS_LOSS = "redis loss"
    REDIS_STOP = "redis stop"
    # The server and every transfer die.
    SFTP_DEATH = "sftp death"
    SFTP_STOP = "sftp stop"
    # Transfers die, the server goes on.
    SFTP_HANG_UP = "sftp hang-up"
    LINK_CUT = "link cut"
    # After some bytes more: in the middle of a request, a reply or a file.
    LINK_CUT_MIDWAY = "link cut midway"
    LINK_DELAY = "link delay"
    # Connections are accepted, and nothing comes through.
    LINK_SILENCE = "link silence"
    LINK_HALF_OPEN = "link half open"
    DISK_FULL = "disk full"
    CLOCK_JUMP = "clock jump"


# How often each is chosen, and how long it lasts at least and at most, in seconds.
_CHOICES: dict[Fault, tuple[int, float, float]] = {
    Fault.PROCESS_KILL: (48, 0.0, 0.0),
    Fault.PROCESS_STOP: (8, 0.5, 9.0),
    Fault.PROCESS_RESTART: (4, 0.0, 0.0),
    Fault.POSTGRES_CRASH: (3, 0.0, 2.0),
    Fault.POSTGRES_STOP: (1, 0.5, 4.0),
    Fault.BROKER_CRASH: (2, 0.0, 2.0),
    Fault.BROKER_STOP: (1, 0.5, 6.0),
    Fault.BROKER_WIPE: (2, 0.0, 1.0),
    Fault.REDIS_FLUSH: (2, 0.0, 0.0),
    Fault.REDIS_LOSS: (2, 0.0, 4.0),
    Fault.REDIS_STOP: (1, 0.5, 4.0),
    Fault.SFTP_DEATH: (3, 0.0, 5.0),
    Fault.SFTP_STOP: (2, 0.5, 8.0),
    Fault.SFTP_HANG_UP: (3, 0.0, 0.0),
    Fault.LINK_CUT: (6, 0.0, 0.0),
    Fault.LINK_CUT_MIDWAY: (6, 0.0, 0.0),
    Fault.LINK_DELAY: (4, 1.0, 5.0),
    Fault.LINK_SILENCE: (4, 0.5, 8.0),
    Fault.LINK_HALF_OPEN: (4, 0.0, 0.0),
    Fault.DISK_FULL: (2, 0.5, 6.0),
    Fault.CLOCK_JUMP: (2, 1.0, 8.0),
}
# Mean seconds from one fault to the next in a storm.
_PACE_SECONDS = 1.0
_MOST_BYTES = 6000
_LONGEST_DELAY_SECONDS = 0.3
_LONGEST_JUMP_SECONDS = 90_000.0


@dataclass(frozen=True, slots=True)
class Targets:
    """What there is to hit."""

    processes: Sequence[str]
    links: Sequence[str]
    sftp_servers: Sequence[str]
    workers: Sequence[str]
    disks: Sequence[str]

    def of(self, fault: Fault) -> Sequence[str]:
        """Where this fault can strike; empty: nowhere here."""
        kind = fault.split()[0]
        return {
            "process": self.processes,
            "sftp": self.sftp_servers,
            "link": self.links,
            "disk": self.disks,
            "clock": self.workers,
        }.get(kind, (kind,))


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault. `at`: seconds after the round's begin. `amount`: bytes or seconds, by kind."""

    at: float
    fault: Fault
    target: str
    seconds: float
    amount: float

    def as_json(self) -> dict[str, Any]:
        """For the plan's file."""
        return asdict(self)

    def __str__(self) -> str:
        lasting = f" for {self.seconds:.1f} s" if self.seconds else ""
        return f"{self.at:6.1f}  {self.fault} of {self.target}{lasting}"


def plan_storm(chance: random.Random, targets: Targets, seconds: float) -> list[Strike]:
    """Faults that overlap, one after the other at a rate of about one per second."""
    strikes: list[Strike] = []
    at = 0.5
    while at < seconds:
        strikes.append(_strike(chance, targets, at, _choose(chance, targets)))
        at += chance.expovariate(1 / _PACE_SECONDS)
    return strikes


def plan_one_by_one(chance: random.Random, targets: Targets) -> list[Strike]:
    """Each kind once, in an order by chance; for rounds that wait until one has healed."""
    kinds = [fault for fault in Fault if targets.of(fault)]
    chance.shuffle(kinds)
    return [_strike(chance, targets, 0.0, fault) for fault in kinds]


def _choose(chance: random.Random, targets: Targets) -> Fault:
    possible = [fault for fault in Fault if targets.of(fault)]
    [fault] = chance.choices(possible, [_CHOICES[fault][0] for fault in possible])
    return fault


def _strike(chance: random.Random, targets: Targets, at: float, fault: Fault) -> Strike:
    _, least, most = _CHOICES[fault]
    return Strike(
        at=round(at, 2),
        fault=fault,
        target=chance.choice(targets.of(fault)),
        seconds=round(chance.uniform(least, most), 2),
        amount=round(_amount(chance, fault), 2),
    )


def _amount(chance: random.Random, fault: Fault) -> float:
    if fault is Fault.LINK_CUT_MIDWAY:
        return chance.randint(1, _MOST_BYTES)
    if fault is Fault.LINK_DELAY:
        return chance.uniform(0.01, _LONGEST_DELAY_SECONDS)
    if fault is Fault.CLOCK_JUMP:
        return chance.uniform(-_LONGEST_JUMP_SECONDS, _LONGEST_JUMP_SECONDS)
    return chance.random()
