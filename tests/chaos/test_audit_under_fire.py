"""The trail under fire: relays and replicas are killed throughout, and every act is on record once.

Two real replicas of the audit service and four real relays, each a process, bring events of 50
orgs from two outboxes into the trail, while a seeded plan kills one of the six after the other
(SIGKILL) and starts it again. The size and the seed come from the environment:

    AUDIT_FIRE_EVENTS=200000 AUDIT_FIRE_SEED=7 python -m pytest -s tests/chaos/test_audit_under_fire.py
"""

import asyncio
import os
import random
import re
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import grpc.aio
import httpx
import pytest
from system import Process, System
from waiting import eventually

from countersign.audit.v1.audit_service_pb2 import VerifyChainRequest, VerifyChainResponse
from countersign.audit.v1.audit_service_pb2_grpc import AuditServiceStub
from countersign_core.audit_actions import AuditAction, EntityType
from countersign_core.roles import Role
from countersign_platform.outbox.audit_record import audit_row
from countersign_platform.testing.ports import HOST, free_ports

EVENTS = int(os.environ.get("AUDIT_FIRE_EVENTS", "20000"))
SEED = int(os.environ.get("AUDIT_FIRE_SEED", "20261126"))
ORGS = [UUID(int=random.Random(f"{SEED} {n}").getrandbits(128), version=4) for n in range(50)]
REPLICAS = ("audit-1", "audit-2")
RELAYS = {"relay-1": "push", "relay-2": "push", "relay-3": "approval", "relay-4": "approval"}
# One kill for so many events, at the least.
EVENTS_PER_KILL = 4000
LEAST_KILLS = 12
BATCH = 500

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300 + EVENTS // 100)]

# What was written, by org.
Acts = defaultdict[UUID, set[UUID]]

_COUNTED = re.compile(
    r"^countersign_audit_events(_already_known)?_total(?:\{.*\})? (\S+)$", re.MULTILINE
)


class RelayProcess(Process):
    """A relay, started by its file."""

    async def start(self) -> None:
        script = Path(__file__).parents[1] / "support" / "relay_process.py"
        with self.log.open("ab") as output:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, str(script), RELAYS[self.name]),
                env=self.environment,
                stdout=output,
                stderr=output,
            )


@dataclass
class Fire:
    """The six processes, and what became of them."""

    system: System
    kills: Counter[str] = field(default_factory=Counter)
    # As the replicas counted, each until it was killed: what they did last is not in it.
    counted: Counter[str] = field(default_factory=Counter)

    async def strike(self, name: str) -> None:
        """Kills one and starts it again."""
        process = self.system.processes[name]
        await self.count(process)
        await process.kill()
        self.kills[name] += 1
        await process.start()

    async def count(self, process: Process) -> None:
        """Adds up what a replica says that it did, if it is there to say it."""
        if process.name not in REPLICAS:
            return
        try:
            async with httpx.AsyncClient(timeout=2.0) as client:
                page = (await client.get(f"http://{HOST}:{process.probe_port}/metrics")).text
        except httpx.HTTPError:
            return
        for known, value in _COUNTED.findall(page):
            self.counted["already known" if known else "appended"] += int(float(value))


@asynccontextmanager
async def burning(databases: Any, folder: Path) -> AsyncIterator[Fire]:
    urls = {role: databases.url_for(role) for role in ("approval", "push", "audit")}
    settings = {
        # Sealed, checked and archived all the while.
        "COUNTERSIGN_AUDIT_CHECKPOINT_EVENTS": "500",
        "COUNTERSIGN_AUDIT_CHECKPOINT_SECONDS": "1",
        "COUNTERSIGN_AUDIT_CHECKPOINT_CHECK_SECONDS": "0.5",
        "RELAY_LEASE_SECONDS": "3",
    }
    system = System(folder, urls, settings=settings)
    ports = {name: free_ports(1)[0] for name in REPLICAS}
    hosts = ",".join(f"{HOST}:{port}" for port in ports.values())
    system.targets = {"audit": f"ipv4:{hosts}"}
    for name, port in ports.items():
        system.processes[name] = system._process(name, port)
    for name, schema in RELAYS.items():
        like = system._process(f"{schema}-1", free_ports(1)[0])
        system.processes[name] = RelayProcess(name, like.environment, folder, 0, 0)
    try:
        for name in REPLICAS:
            await system.processes[name].start()
            await system.processes[name].ready()
        for name in RELAYS:
            await system.processes[name].start()
        yield Fire(system)
    finally:
        await system.stop()


async def write(owner: asyncpg.Pool, schema: str, count: int, written: Acts) -> None:
    """`count` acts into an outbox, in batches, as the services write them."""
    chance = random.Random(f"{SEED} {schema}")
    for start in range(0, count, BATCH):
        rows = []
        for number in range(start, min(start + BATCH, count)):
            org_id, act_id = chance.choice(ORGS), UUID(int=chance.getrandbits(128), version=4)
            written[org_id].add(act_id)
            event_id, payload = audit_row(
                None,
                AuditAction.DRAFT_PUSHED,
                EntityType.DRAFT_ORDER,
                act_id,
                org_id=org_id,
                event_id=act_id,
                draft_order_id=act_id,
                after={"status": "PUSHING", "number": number, "by": "Zoë"},
            )
            rows.append((org_id, event_id, "audit", payload))
        await owner.copy_records_to_table(
            "outbox",
            schema_name=schema,
            columns=["org_id", "id", "lane", "payload"],
            records=rows,
        )


def plan() -> list[tuple[int, str]]:
    """Who is killed when so many events are on record; everybody has a turn."""
    chance = random.Random(SEED)
    names = [*REPLICAS, *RELAYS]
    strikes = max(LEAST_KILLS, EVENTS // EVENTS_PER_KILL)
    moments = sorted(chance.uniform(0.02, 0.98) for _ in range(strikes))
    turns = [names[number % len(names)] for number in range(strikes)]
    chance.shuffle(turns)
    return [(int(moment * EVENTS), name) for moment, name in zip(moments, turns, strict=True)]


async def test_two_replicas_and_four_relays_under_fire_record_every_act_once(
    databases: Any, tmp_path: Path
) -> None:
    """No gap, no fork, no duplicate, no loss; and every chain verifies with its checkpoints."""
    written: Acts = defaultdict(set)
    async with AsyncExitStack() as stack:
        owner = await stack.enter_async_context(
            asyncpg.create_pool(databases.owner_url, min_size=1, max_size=4)
        )
        fire = await stack.enter_async_context(burning(databases, tmp_path / "system"))
        begun = asyncio.get_running_loop().time()
        half = EVENTS // 2
        async with asyncio.TaskGroup() as group:
            group.create_task(write(owner, "push", half, written))
            group.create_task(write(owner, "approval", EVENTS - half, written))
            group.create_task(strike_all(owner, fire))
        await eventually(
            lambda: nothing_waits(owner), seconds=120 + EVENTS / 200, what="outboxes are empty"
        )
        seconds = asyncio.get_running_loop().time() - begun
        for name in REPLICAS:
            await fire.system.processes[name].ready()
            await fire.count(fire.system.processes[name])
        sums = await assert_every_act_is_on_record_once(owner, written)
        verdicts = await verify_all(fire.system, list(sums))
    assert [verdict.problem for verdict in verdicts.values() if not verdict.valid] == []
    assert {org: verdict.checked for org, verdict in verdicts.items()} == sums
    assert all(verdict.archive_compared for verdict in verdicts.values())
    report(fire, sums, verdicts, seconds)
    assert set(fire.kills) == {*REPLICAS, *RELAYS}


async def strike_all(owner: asyncpg.Pool, fire: Fire) -> None:
    for number, name in plan():
        await eventually(
            lambda number=number: reached(owner, number),
            seconds=120 + EVENTS / 200,
            what=f"{number} events are on record",
        )
        await fire.strike(name)


async def reached(owner: asyncpg.Pool, number: int) -> bool:
    return bool(await owner.fetchval("SELECT sum(seq) >= $1 FROM audit.chain_heads", number))


async def nothing_waits(owner: asyncpg.Pool) -> bool:
    return not await owner.fetchval(
        "SELECT EXISTS (SELECT FROM push.outbox) OR EXISTS (SELECT FROM approval.outbox)"
    )


async def assert_every_act_is_on_record_once(owner: asyncpg.Pool, written: Acts) -> dict[UUID, int]:
    """Act by act; events by org."""
    found: dict[UUID, list[tuple[int, UUID]]] = defaultdict(list)
    for row in await owner.fetch("SELECT org_id, seq, event_id FROM audit.events"):
        found[row["org_id"]].append((row["seq"], row["event_id"]))
    for org_id, links in found.items():
        seqs = sorted(seq for seq, _ in links)
        assert seqs == list(range(1, len(links) + 1)), f"{org_id}: a gap or a fork"
        ids = [event_id for _, event_id in links]
        assert len(ids) == len(set(ids)), f"{org_id}: an act is on record twice"
    assert {org: {each for _, each in links} for org, links in found.items()} == written
    return {org: len(links) for org, links in found.items()}


async def verify_all(system: System, orgs: list[UUID]) -> dict[UUID, VerifyChainResponse]:
    """VerifyChain of every org."""
    verdicts = {}
    async with grpc.aio.insecure_channel(system.targets["audit"]) as channel:
        for org in orgs:
            bearer = f"Bearer {system.token(org, Role.ADMIN)}"
            verdicts[org] = await AuditServiceStub(channel).VerifyChain(
                VerifyChainRequest(), metadata=(("authorization", bearer),), timeout=120
            )
    return verdicts


def report(
    fire: Fire,
    sums: dict[UUID, int],
    verdicts: dict[UUID, VerifyChainResponse],
    seconds: float,
) -> None:
    kills = ", ".join(f"{name} {count}" for name, count in sorted(fire.kills.items()))
    counted = ", ".join(f"{name} {count}" for name, count in sorted(fire.counted.items()))
    first = (
        f"seed {SEED}: {sum(sums.values())} events of {len(sums)} orgs"
        f" (from {min(sums.values())} to {max(sums.values())} each) in {seconds:.0f} s,"
        f" {sum(fire.kills.values())} kills ({kills});"
        f" replicas counted, until each was killed: {counted};"
        f" {sum(each.seals for each in verdicts.values())} checkpoints,"
        f" {sum(each.archived_seals for each in verdicts.values())} of them archived"
    )
    by_org = (f"  {org} {count}" for org, count in sorted(sums.items()))
    print("", first, *by_org, sep="\n")  # noqa: T201 — the counts are the point
