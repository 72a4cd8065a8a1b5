"""Carries out a plan, and undoes all of it at the end."""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Coroutine, Sequence

import psutil
import structlog

from countersign_chaos.faults.causes import CAUSES
from countersign_chaos.faults.healing import Healing
from countersign_chaos.faults.plan import Fault, Strike
from countersign_chaos.journal import Journal
from countersign_chaos.world.world import World

_log = structlog.get_logger()

_WAKE_LOOK_SECONDS = 0.5
# A worker that fell asleep at a step wakes up after its lease.
_SLEEP_SECONDS = 7.0
_KILLED = {
    Fault.POSTGRES_CRASH: "postgres",
    Fault.BROKER_CRASH: "broker",
    Fault.BROKER_WIPE: "broker",
    Fault.REDIS_LOSS: "redis",
    Fault.SFTP_DEATH: "sshd",
}


class Striker:
    """Strikes one after the other; `end` waits until every fault is over."""

    def __init__(self, world: World, journal: Journal) -> None:
        self._world = world
        self._journal = journal
        self._ending = asyncio.Event()
        self._under_fault: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._asleep: dict[int, float] = {}
        self._is_storm = False
        self.faults: Counter[str] = Counter()
        self.kills: Counter[str] = Counter()

    def begin_storm(self, strikes: Sequence[Strike]) -> None:
        """Faults overlap; workers also end at steps of their deliveries."""
        self._world.arm()
        self._is_storm = True
        self._start(self._storm(strikes))
        self._start(self._wake_sleepers())

    def begin_one_by_one(
        self, strikes: Sequence[Strike], healing: Healing, heal_seconds: dict[str, list[float]]
    ) -> None:
        """Each fault waits until the one before it has healed; `heal_seconds` gets the times."""
        self._start(self._one_by_one(strikes, healing, heal_seconds))

    async def end(self) -> None:
        """Strike no more, undo what lasts, wake and disarm everybody."""
        self._ending.set()
        self._world.disarm()
        if self._is_storm:
            self._kill_workers()
        # Nobody is waited for who sleeps.
        self._wake_everybody()
        results = await asyncio.gather(*self._tasks, return_exceptions=True)
        for link in self._world.network.links:
            # What is half open on the far side only would not end by itself for hours.
            self._world.network.proxy(link).cut_half_open()
        self._wake_everybody()
        for result in results:
            if isinstance(result, Exception):
                raise result

    def _kill_workers(self) -> None:
        """All at once, and no later message has anybody look for what they had in hand."""
        for worker in self._world.named("worker"):
            worker.send(signal.SIGKILL)
            self.kills["worker"] += 1

    def _wake_everybody(self) -> None:
        for process in self._world.processes.values():
            process.send(signal.SIGCONT)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        self._tasks.add(asyncio.create_task(work))

    async def _storm(self, strikes: Sequence[Strike]) -> None:
        began = time.monotonic()
        for strike in strikes:
            if await self._ends_within(began + strike.at - time.monotonic()):
                return
            if strike.target not in self._under_fault:
                self._start(self._strike(strike))

    async def _one_by_one(
        self, strikes: Sequence[Strike], healing: Healing, heal_seconds: dict[str, list[float]]
    ) -> None:
        for strike in strikes:
            if await self._ends_within(1.0):
                return
            await self._strike(strike)
            if self._ending.is_set():
                return
            seconds = await healing.seconds()
            heal_seconds.setdefault(_named(strike), []).append(seconds)
            self._journal.write({"healed": str(strike), "seconds": round(seconds, 2)})

    async def _strike(self, strike: Strike) -> None:
        self._under_fault.add(strike.target)
        self.faults[strike.fault] += 1
        if strike.fault is Fault.PROCESS_KILL:
            self.kills[strike.target.split("-", maxsplit=1)[0]] += 1
        elif strike.fault in _KILLED:
            self.kills[_KILLED[strike.fault]] += 1
        began = time.time()
        try:
            async with CAUSES[strike.fault](self._world, strike):
                await self._ends_within(strike.seconds)
        finally:
            self._under_fault.discard(strike.target)
            seconds = round(time.time() - began, 3)
            self._journal.write(strike.as_json() | {"began": began, "took": seconds})

    async def _ends_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self._ending.wait()
        except TimeoutError:
            return False
        return True

    async def _wake_sleepers(self) -> None:
        while not await self._ends_within(_WAKE_LOOK_SECONDS):
            for worker in self._world.named("worker"):
                if worker.name not in self._under_fault:
                    self._look_at(worker.pid)

    def _look_at(self, pid: int) -> None:
        try:
            asleep = psutil.Process(pid).status() == psutil.STATUS_STOPPED
        except psutil.NoSuchProcess:
            return
        if not asleep:
            self._asleep.pop(pid, None)
            return
        since = self._asleep.setdefault(pid, time.monotonic())
        if time.monotonic() - since > _SLEEP_SECONDS:
            self.faults["worker asleep at a step"] += 1
            del self._asleep[pid]
            psutil.Process(pid).send_signal(signal.SIGCONT)


def _named(strike: Strike) -> str:
    """The kind of fault, and of what where that matters."""
    if strike.fault.startswith("process"):
        return f"{strike.target.split('-', maxsplit=1)[0]} {strike.fault.split()[1]}"
    return strike.fault.value
