"""The trail on a database of its own: made by the migration, used by the service, found by nobody."""

import asyncio
import json
import secrets
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from pydantic import SecretStr

from countersign.audit.v1.audit_service_pb2 import (
    AppendEventsRequest,
    AuditEvent,
    VerifyChainRequest,
)
from countersign.audit.v1.audit_service_pb2_grpc import AuditServiceStub
from countersign_audit.bootstrap import build
from countersign_audit.settings import AuditSettings
from countersign_core.roles import Role
from countersign_platform.auth.minting import create_signing_key
from countersign_platform.rpc.channel import open_channel
from countersign_platform.testing.databases import Databases
from countersign_platform.testing.postgres_server import PostgresServer
from countersign_platform.testing.tokens import TestTokens

pytestmark = pytest.mark.integration


async def _schemas(url: str) -> set[str]:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(
            "SELECT nspname FROM pg_namespace WHERE nspname IN ('approval', 'push', 'audit')"
        )
    finally:
        await connection.close()
    return {row["nspname"] for row in rows}


@pytest.fixture
async def two(postgres: PostgresServer) -> AsyncIterator[tuple[Databases, Databases]]:
    """Two empty databases, migrated by the command line: one for the trail, one for the rest."""
    admin = await asyncpg.connect(postgres.url)
    made = [Databases(postgres, f"two_{secrets.token_hex(4)}") for _ in range(2)]
    for each in made:
        await admin.execute(f"CREATE DATABASE {each.name}")
    try:
        yield made[0], made[1]
    finally:
        for each in made:
            await admin.execute(f"DROP DATABASE {each.name} WITH (FORCE)")
        await admin.close()


async def _migrate(*options: str, **environment: str) -> dict[str, str | None]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "countersign_cli", "migrate", "--json", *options),
        env={"PATH": "/usr/bin:/bin", **environment},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    versions: dict[str, str | None] = json.loads(output)
    return versions


async def test_the_trail_lives_in_a_database_of_its_own(
    two: tuple[Databases, Databases], tmp_path: Path
) -> None:
    main, trail = two
    owners = {
        "COUNTERSIGN_OWNER_DATABASE_URL": main.owner_url,
        "COUNTERSIGN_AUDIT_OWNER_DATABASE_URL": trail.owner_url,
    }
    assert await _migrate("--status", **owners) == dict.fromkeys(("approval", "push", "audit"))
    versions = await _migrate(**owners)
    assert all(versions.values())
    assert await _migrate(**owners) == versions  # twice does no harm
    assert await _schemas(main.owner_url) == {"approval", "push"}
    assert await _schemas(trail.owner_url) == {"audit"}

    # The service is told of the main database, too, as every process may be.
    tokens = TestTokens(tmp_path / "keys")
    settings = AuditSettings(
        listen="127.0.0.1:0",
        probe_listen="127.0.0.1:0",
        jwks=tokens.jwks,
        database_url=SecretStr(main.url_for("audit")),
        audit_database_url=SecretStr(trail.url_for("audit")),
        audit_signing_key=SecretStr(create_signing_key(tmp_path / "seals").key_file.read_text()),
    )
    service = await build(settings)
    try:
        ports = await service.start()
        event = _event()
        async with open_channel(f"127.0.0.1:{ports.rpc}") as channel:
            stub: Any = AuditServiceStub(channel)
            relay = (("authorization", f"Bearer {tokens.service(Role.RELAY)}"),)
            await stub.AppendEvents(AppendEventsRequest(events=[event]), metadata=relay)
            admin = (("authorization", f"Bearer {tokens.user(UUID(event.org_id), Role.ADMIN)}"),)
            verdict = await stub.VerifyChain(VerifyChainRequest(), metadata=admin)
        assert (verdict.valid, verdict.checked) == (True, 1)
    finally:
        await service.stop()


def _event() -> AuditEvent:
    event = AuditEvent(
        org_id=str(uuid4()),
        event_id=str(uuid4()),
        action="DRAFT_APPROVED",
        entity_type="draft_order",
        entity_id="d-1",
    )
    event.occurred_at.GetCurrentTime()
    return event


async def test_one_database_gets_everything_where_no_other_is_named(
    two: tuple[Databases, Databases],
) -> None:
    main, _ = two
    await _migrate("--database-url", main.owner_url)
    assert await _schemas(main.owner_url) == {"approval", "push", "audit"}


async def test_the_audit_schema_alone_goes_where_it_is_told(
    two: tuple[Databases, Databases],
) -> None:
    _, trail = two
    versions = await _migrate("--database-url", trail.owner_url, "--only-audit")
    assert list(versions) == ["audit"]
    assert await _schemas(trail.owner_url) == {"audit"}
