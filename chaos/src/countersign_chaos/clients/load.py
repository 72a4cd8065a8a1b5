"""All clients of one round: their tokens, their APIs, their journal."""

import asyncio
import random
from uuid import UUID

from countersign_chaos.clients.act import Act
from countersign_chaos.clients.brake import Brake
from countersign_chaos.clients.clerk import Clerk
from countersign_chaos.clients.operator import Operator
from countersign_chaos.clients.orders import Orders
from countersign_chaos.clients.rest import RestApi
from countersign_chaos.clients.rpc import RpcApi
from countersign_chaos.clients.supervisor import Supervisor
from countersign_chaos.journal import Journal
from countersign_chaos.world.world import World
from countersign_chaos.zones.observer import Observer
from countersign_chaos.zones.zone import Zone
from countersign_core.roles import Role

_WIND_UP_SECONDS = 30.0


class Load:
    """Operators and a supervisor for each zone; `begin`, then `end`."""

    def __init__(
        self, world: World, chance: random.Random, orders: Orders, journal: Journal
    ) -> None:
        self._world = world
        self._chance = chance
        self._orders = orders
        self._journal = journal
        self._tokens: dict[tuple[UUID, str], str] = {}
        network, terms = world.network, world.terms
        gateways = [
            f"http://{network.address('client', name)}"
            for name in terms.names()
            if name.startswith("gateway-")
        ]
        self.rest = RestApi(gateways, chance, self.token)
        targets = {
            kind: network.grpc_target(
                "client", [name for name in terms.names() if name.startswith(f"{kind}-")]
            )
            for kind in ("approval", "push")
        }
        self._rpc = RpcApi(targets, self.token)
        self.clerks: dict[str, Clerk] = {}
        self._ending = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._supervisors: list[asyncio.Task[None]] = []

    def clerk(self, zone: Zone) -> Clerk:
        """Whoever asks on behalf of the zone's org."""
        if zone.name not in self.clerks:
            chance = random.Random(self._chance.random())
            self.clerks[zone.name] = Clerk(zone.org, self.rest, self._rpc, self._journal, chance)
        return self.clerks[zone.name]

    def begin(self, zones: list[Zone], operators: int, observer: Observer) -> None:
        """So many operators per zone work until `end`."""
        for zone in zones:
            clerk = self.clerk(zone)
            supervisor = Supervisor(zone, clerk, self.rest, observer.exports.__contains__)
            self._supervisors.append(asyncio.create_task(supervisor.run()))
            brake = Brake(clerk, observer.exports.__contains__)
            for number in range(1, operators + 1):
                operator = Operator(f"op-{number}", clerk, self._orders)
                self._tasks.append(asyncio.create_task(self._work(operator, brake)))

    async def end(self) -> None:
        """Let everybody finish the order in hand; raises what broke a client."""
        self._ending.set()
        for task in self._supervisors:
            task.cancel()
        await asyncio.gather(*self._supervisors, return_exceptions=True)
        _, late = await asyncio.wait(self._tasks, timeout=_WIND_UP_SECONDS)
        for task in late:
            task.cancel()
        results = await asyncio.gather(*self._tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def close(self) -> None:
        """End every client, whatever it is at, and every connection."""
        left = [*self._supervisors, *self._tasks]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self.rest.close()
        await self._rpc.close()

    def token(self, act: Act) -> str:
        """The token of whoever acts."""
        role = Role.ADMIN if act.actor == "admin" else Role.OPERATOR
        wanted = (act.org, act.actor)
        if wanted not in self._tokens:
            self._tokens[wanted] = self._world.token(act.org, role, subject=act.actor)
        return self._tokens[wanted]

    async def _work(self, operator: Operator, brake: Brake) -> None:
        while not self._ending.is_set():
            await operator.work()
            await brake.wait(self._ending)
