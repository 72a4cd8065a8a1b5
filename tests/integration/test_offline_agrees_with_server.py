"""Whatever a superuser does to a trail, the server and the offline verifier name the same."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from record_stage import Stage
from system import System
from waiting import eventually

from countersign_audit.chain import GENESIS_HASH, link_hash
from countersign_audit.event import Event, Link
from countersign_audit.offline.report import Report
from countersign_audit.offline.verify import read_public_keys, verify_files
from countersign_core.roles import Role

pytestmark = pytest.mark.integration

LENGTH = 12
_EVENT = ", ".join(Event.__slots__)


class Trail:
    """Twelve events of one org, sealed at 5 and 10 or near it, and every way to look at them."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self.stage = stage
        self.org = stage.tenant.org
        self.folder = folder

    async def append(self, count: int) -> None:
        """More events, as a relay brings them."""
        events = [
            {
                "event_id": str(uuid4()),
                "org_id": str(self.org),
                "action": "DRAFT_EDITED",
                "entity_type": "draft_order",
                "entity_id": "d-1",
                "actor_user_id": "Zoë",
                "after_json": '{"b": 1.10, "a": "\\u2028"}',
                "user_agent": "x\ny",
                "occurred_at": datetime.now(UTC).isoformat(),
            }
            for _ in range(count)
        ]
        await self.stage.rpc(
            "/countersign.audit.v1.AuditService/AppendEvents",
            {"events": events},
            token=self.stage.token(Role.RELAY),
        )

    async def sealed_at(self) -> int:
        """The last seq that a checkpoint vouches for."""
        return int(
            await self.stage.owner.fetchval(
                "SELECT coalesce(max(seq), 0) FROM audit.seals WHERE org_id = $1", self.org
            )
        )

    async def wait_sealed(self, seq: int) -> None:
        async def sealed() -> bool:
            return await self.sealed_at() >= seq

        await eventually(sealed, what=f"sealed up to seq {seq}")

    async def tamper(self, sql: str, *arguments: Any) -> None:
        """As a superuser: every trigger is off."""
        async with self.stage.owner.transaction():
            await self.stage.owner.execute("SET LOCAL session_replication_role = replica")
            await self.stage.owner.execute(sql, *arguments)

    async def links(self) -> list[Link]:
        rows = await self.stage.owner.fetch(
            f"SELECT {_EVENT}, seq, prev_hash, hash FROM audit.events"
            " WHERE org_id = $1 ORDER BY seq",
            self.org,
        )
        return [Link(Event(*row[:-3]), *row[-3:]) for row in rows]

    async def server(self) -> dict[str, Any]:
        answer = await self.stage.tenant.http.get("/audit-log/verify")
        assert answer.status_code == 200, answer.text
        verdict: dict[str, Any] = answer.json()
        return verdict

    async def offline(self, file_format: str = "jsonl") -> Report:
        """Seals, keys and events over REST, then nothing but these files."""
        http = self.stage.tenant.http
        seals = (await http.get("/audit-log/checkpoints", params={"page_size": 1000})).json()
        keys = await http.get("/audit-log/keys")
        exported = await http.get("/audit-log/export", params={"format": file_format})
        assert exported.status_code == 200, exported.text
        checkpoints = self.folder / "checkpoints.jsonl"
        checkpoints.write_text("".join(json.dumps(seal) + "\n" for seal in seals["seals"]))
        (self.folder / "keys.json").write_bytes(keys.content)
        (self.folder / "events.jsonl").write_bytes(exported.content)
        public = read_public_keys(self.folder / "keys.json")
        return verify_files(self.folder / "events.jsonl", checkpoints, public)


@pytest.fixture
async def trail(
    workerless: tuple[System, asyncpg.Connection], tmp_path: Path
) -> AsyncIterator[Trail]:
    system, owner = workerless
    async with system.tenant(connected=False) as tenant:
        made = Trail(Stage(system, owner, tenant), tmp_path)
        await made.append(5)
        await made.wait_sealed(5)
        await made.append(5)
        await made.wait_sealed(10)
        await made.append(2)
        yield made


@pytest.mark.parametrize("file_format", ["jsonl", "cloudevents"])
async def test_an_untouched_trail_is_proven_by_both(trail: Trail, file_format: str) -> None:
    verdict, report = await trail.server(), await trail.offline(file_format)
    assert verdict["valid"]
    assert (report.verdict, report.events) == ("proven", LENGTH)
    assert (report.last_seq, report.last_hash) == (verdict["head_seq"], verdict["head_hash"])
    assert report.proven == verdict["sealed_seq"] == 10


async def a_changed_field(trail: Trail) -> None:
    await trail.tamper(
        "UPDATE audit.events SET actor_user_id = 'mallory' WHERE org_id = $1 AND seq = 7", trail.org
    )


async def a_changed_field_with_its_hash(trail: Trail) -> None:
    link = (await trail.links())[6]
    changed = Event(*(getattr(link.event, name) for name in Event.__slots__[:-1]), "{}")
    await trail.tamper(
        "UPDATE audit.events SET after_json = '{}', hash = $2 WHERE org_id = $1 AND seq = 7",
        trail.org,
        link_hash(link.prev_hash, changed, 7),
    )


async def a_deleted_row(trail: Trail) -> None:
    await trail.tamper("DELETE FROM audit.events WHERE org_id = $1 AND seq = 6", trail.org)


async def the_first_row_deleted(trail: Trail) -> None:
    await trail.tamper("DELETE FROM audit.events WHERE org_id = $1 AND seq = 1", trail.org)


async def two_swapped_rows(trail: Trail) -> None:
    await trail.tamper(
        "UPDATE audit.events SET seq = CASE seq WHEN 3 THEN 9 ELSE 3 END"
        " WHERE org_id = $1 AND seq IN (3, 9)",
        trail.org,
    )


async def an_inserted_row(trail: Trail) -> None:
    await trail.tamper(
        "INSERT INTO audit.events SELECT (jsonb_populate_record(e, jsonb_build_object("
        "'recorded_at', e.recorded_at + interval '1 second', 'actor_user_id', 'mallory'))).*"
        " FROM audit.events e WHERE org_id = $1 AND seq = 5",
        trail.org,
    )


async def a_row_behind_the_head(trail: Trail) -> None:
    await trail.tamper(
        "INSERT INTO audit.events SELECT (jsonb_populate_record(e, jsonb_build_object("
        "'seq', 13, 'prev_hash', e.hash))).*"
        " FROM audit.events e WHERE org_id = $1 AND seq = 12",
        trail.org,
    )


async def a_cut_tail(trail: Trail) -> None:
    await trail.tamper("DELETE FROM audit.events WHERE org_id = $1 AND seq > 8", trail.org)


async def a_cut_tail_with_its_head(trail: Trail) -> None:
    """The chain alone holds: only a checkpoint knows that there was more."""
    links = await trail.links()
    await a_cut_tail(trail)
    await trail.tamper(
        "UPDATE audit.chain_heads SET seq = 8, hash = $2 WHERE org_id = $1",
        trail.org,
        links[7].hash,
    )
    await trail.tamper("DELETE FROM audit.event_ids WHERE org_id = $1 AND seq > 8", trail.org)


async def a_chain_replaced(trail: Trail) -> None:
    """Every hash made anew from the first link on, and the head with it."""
    before = GENESIS_HASH
    for link in await trail.links():
        fields = {name: getattr(link.event, name) for name in Event.__slots__}
        event = Event(**(fields | {"actor_user_id": "mallory"}))
        made = link_hash(before, event, link.seq)
        await trail.tamper(
            "UPDATE audit.events SET actor_user_id = 'mallory', prev_hash = $3, hash = $4"
            " WHERE org_id = $1 AND seq = $2",
            trail.org,
            link.seq,
            before,
            made,
        )
        before = made
    await trail.tamper(
        "UPDATE audit.chain_heads SET hash = $2 WHERE org_id = $1", trail.org, before
    )


async def a_changed_head(trail: Trail) -> None:
    await trail.tamper(
        "UPDATE audit.chain_heads SET hash = sha256('x') WHERE org_id = $1", trail.org
    )


async def a_deleted_head(trail: Trail) -> None:
    """Nothing can be appended any more, the record of the export neither: it comes all the same."""
    await trail.tamper("DELETE FROM audit.chain_heads WHERE org_id = $1", trail.org)


async def a_changed_checkpoint(trail: Trail) -> None:
    await trail.tamper(
        "UPDATE audit.seals SET link_hash = sha256('x') WHERE org_id = $1 AND number = 2", trail.org
    )


TAMPERINGS: dict[Callable[[Trail], Awaitable[None]], tuple[int | None, int | None]] = {
    a_changed_field: (7, None),
    a_changed_field_with_its_hash: (8, None),
    a_deleted_row: (6, None),
    the_first_row_deleted: (1, None),
    two_swapped_rows: (3, None),
    an_inserted_row: (5, None),
    a_row_behind_the_head: (13, None),
    a_cut_tail: (9, None),
    a_cut_tail_with_its_head: (9, 2),
    a_chain_replaced: (5, 1),
    a_changed_head: (12, None),
    a_deleted_head: (1, 1),
    a_changed_checkpoint: (10, 2),
}


@pytest.mark.parametrize("tampering", TAMPERINGS, ids=lambda each: each.__name__)
async def test_the_same_entry_is_named_by_both(
    trail: Trail, tampering: Callable[[Trail], Awaitable[None]]
) -> None:
    await tampering(trail)
    verdict, report = await trail.server(), await trail.offline()
    assert report.flaw is not None
    seq, seal = TAMPERINGS[tampering]
    assert not verdict["valid"]
    assert (verdict["first_bad_seq"], verdict["first_bad_seal"]) == (seq, seal), verdict
    assert (report.flaw.seq, report.flaw.seal) == (seq, seal), report.flaw
