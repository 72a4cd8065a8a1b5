"""A plan comes out of its seed alone, and strikes everything that there is."""

import random

from countersign_chaos.faults.plan import Fault, Targets, plan_one_by_one, plan_storm

TARGETS = Targets(
    processes=("push-1", "worker-1"),
    links=("push-1>postgres", "client>gateway-1"),
    sftp_servers=("sshd",),
    workers=("worker-1",),
    disks=("/disk",),
)


def test_the_same_seed_gives_the_same_plan() -> None:
    one = plan_storm(random.Random("7/1"), TARGETS, 60)
    assert one == plan_storm(random.Random("7/1"), TARGETS, 60)
    assert one != plan_storm(random.Random("7/2"), TARGETS, 60)


def test_a_long_storm_strikes_with_every_fault() -> None:
    strikes = plan_storm(random.Random(1), TARGETS, 3600)
    assert {strike.fault for strike in strikes} == set(Fault)
    assert all(strike.target in TARGETS.of(strike.fault) for strike in strikes)
    assert [strike.at for strike in strikes] == sorted(strike.at for strike in strikes)


def test_one_by_one_has_each_fault_once() -> None:
    strikes = plan_one_by_one(random.Random(1), TARGETS)
    assert sorted(strike.fault for strike in strikes) == sorted(Fault)


def test_a_fault_that_has_nowhere_to_strike_is_left_out() -> None:
    nowhere = Targets(TARGETS.processes, TARGETS.links, (), (), ())
    faults = {strike.fault for strike in plan_one_by_one(random.Random(1), nowhere)}
    assert faults == set(Fault) - {
        Fault.SFTP_DEATH,
        Fault.SFTP_STOP,
        Fault.SFTP_HANG_UP,
        Fault.DISK_FULL,
        Fault.CLOCK_JUMP,
    }
