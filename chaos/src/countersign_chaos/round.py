"""One round: load and faults, then quiet, then the check."""

import asyncio
import random
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from countersign_chaos.checker.check import check
from countersign_chaos.checker.evidence import Evidence, OrgEvidence
from countersign_chaos.checker.finding import Finding, Kind
from countersign_chaos.checker.snapshot import count, read_org
from countersign_chaos.clients.act import Act, Action
from countersign_chaos.clients.feed import Feed
from countersign_chaos.clients.load import Load
from countersign_chaos.clients.orders import Orders
from countersign_chaos.faults.plan import Targets
from countersign_chaos.journal import Journal, read_journal
from countersign_chaos.world.process import NotReadyError
from countersign_chaos.world.world import World
from countersign_chaos.zones.erp import Erp
from countersign_chaos.zones.make_zones import make_zones, unmake_zones
from countersign_chaos.zones.observer import Observer
from countersign_chaos.zones.retire import retire_zones
from countersign_chaos.zones.zone import Zone

SETTLE_SECONDS = 60.0
_LOOK_SECONDS = 1.0
_READY_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Settled:
    """How a round ended. `seconds`: from the last fault until all was as it must be."""

    evidence: Evidence
    findings: list[Finding]
    seconds: float


class Round:
    """`open`, then load and faults side by side, then `settle`, then `close`."""

    def __init__(
        self, world: World, number: int, chance: random.Random, orders: Orders, folder: Path
    ) -> None:
        """`folder` gets the logs of this round."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._world = world
        self.journals = {
            name: Journal(folder / f"{name}.jsonl")
            for name in ("requests", "files", "answers", "changes", "faults", "settling")
        }
        self.zones = make_zones(world, number)
        self.erp = Erp(random.Random(chance.random()), self.journals["answers"])
        self.observer = Observer(self.journals["files"], self.erp.appeared)
        self.load = Load(world, random.Random(chance.random()), orders, self.journals["requests"])
        self._feeds: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Connect every zone and watch it."""
        self.observer.start()
        for zone in self.zones:
            self.observer.watch(zone)
            admin = self._admin(zone)
            await self.load.rest.create(admin, "/erp-connections", zone.body())
            feed = Feed(
                str(zone.org),
                self.load.rest.any_url,
                self.load.token(admin),
                self.journals["changes"],
            )
            self._feeds.append(asyncio.create_task(feed.run()))

    def targets(self) -> Targets:
        """What there is to hit in this round."""
        return Targets(
            processes=list(self._world.processes),
            links=[str(link) for link in self._world.network.links],
            sftp_servers=["sshd", "poor_sshd"],
            workers=[worker.name for worker in self._world.named("worker")],
            disks=[str(zone.disk) for zone in self.zones if zone.disk is not None],
        )

    def calm_down(self) -> None:
        """The ERP talks no nonsense any more."""
        self.erp.talks_nonsense = False

    async def settle(self, began: float | None = None, patience: float = SETTLE_SECONDS) -> Settled:
        """Look until everything is as it must be, for so many seconds at most; then what is not.

        `began`: monotonic time of the end of the last fault; without one, now.
        """
        began = time.monotonic() if began is None else began
        while time.monotonic() - began < patience:
            try:
                why = await self._unrest()
                if not why:
                    evidence = await self._evidence()
                    findings = check(evidence)
                    if not findings:
                        return Settled(evidence, [], time.monotonic() - began)
                    why = str(findings[0])
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                why = f"the API does not answer: {error!r}"
            self.journals["settling"].write({"after": time.monotonic() - began, "why": why})
            await asyncio.sleep(_LOOK_SECONDS)
        evidence = await self._evidence()
        return Settled(evidence, check(evidence), time.monotonic() - began)

    async def retire(self) -> None:
        """Leave nothing to do for workers; of a round that settled."""
        await retire_zones(self._world.servers.databases.owner_url, self.zones)

    async def close(self) -> None:
        """End clients and watchers, remove the zones."""
        for feed in self._feeds:
            feed.cancel()
        await asyncio.gather(*self._feeds, return_exceptions=True)
        await self.load.close()
        await self.observer.close()
        for journal in self.journals.values():
            journal.close()
        unmake_zones(self.zones)

    async def _unrest(self) -> str:
        """What is still under way, as far as a few cheap questions tell; empty: nothing."""
        if self.erp.busy:
            return "the ERP"
        for zone in self.zones:
            if left := zone.leftovers():
                return f"{len(left)} files left in {zone.name}, such as {left[0]}"
            if await self._pushing(zone):
                return f"drafts of {zone.name} are PUSHING"
        return ""

    async def _pushing(self, zone: Zone) -> int:
        admin = self._admin(zone)
        return await count(self.load.rest, admin, "/draft-orders", "drafts", status="PUSHING")

    async def _evidence(self) -> Evidence:
        def rows(name: str) -> list[dict[str, object]]:
            return list(read_journal(self.journals[name].path))

        orgs = {str(zone.org): await self._org(zone) for zone in self.zones}
        for change in rows("changes"):
            orgs[str(change["org"])].changes.append(change)
        return Evidence(rows("requests"), rows("files"), rows("answers"), orgs)

    async def _org(self, zone: Zone) -> OrgEvidence:
        record = await read_org(self.load.rest, self._admin(zone))
        record.leftovers = zone.leftovers()
        return record

    def _admin(self, zone: Zone) -> Act:
        return self.load.clerk(zone).act(Action.PUSH, "admin")


async def not_ready(world: World) -> list[Finding]:
    """Processes that say after all has settled that they are not ready."""
    found = []
    for process in world.processes.values():
        try:
            await process.ready(_READY_SECONDS)
        except NotReadyError:
            found.append(Finding(Kind.STUCK, process.name, "does not become ready any more"))
    return found


# After SIGTERM: in good order; killed in the middle of it; before it could listen to signals.
_ENDS_OF_THE_TOLD = frozenset({0, -signal.SIGKILL, -signal.SIGTERM})


def crashes(world: World, seen: int) -> list[Finding]:
    """Processes that ended otherwise than they were made to, after the first `seen` ends."""
    return [
        Finding(Kind.CRASH, each.name, f"ended by itself with {each.code}")
        for each in world.ended[seen:]
        if not each.was_fate and not (each.ordered and each.code in _ENDS_OF_THE_TOLD)
    ]
