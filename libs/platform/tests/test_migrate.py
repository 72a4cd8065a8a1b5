import asyncio
import secrets
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from countersign_core.errors import Unavailable
from countersign_platform.database.migrate import PACKAGES, current, is_installed, upgrade
from countersign_platform.database.revisions import statements_to_head
from countersign_platform.testing.servers import PostgresServer

pytestmark = pytest.mark.integration

HERE = tuple(package for package in PACKAGES if is_installed(package))


@pytest_asyncio.fixture(loop_scope="session")
async def empty_url(postgres: PostgresServer) -> AsyncIterator[str]:
    """A database without anything."""
    name = f"migrate_{secrets.token_hex(6)}"
    admin = await asyncpg.connect(postgres.url)
    await admin.execute(f"CREATE DATABASE {name}")
    yield postgres.url_for(name)
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


async def ask(url: str, sql: str, *args: object) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql, *args)
    finally:
        await connection.close()


def package_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **revisions: str) -> str:
    """An importable package whose migrations are the given scripts, in that order."""
    name = f"countersign_sample{secrets.token_hex(4)}"
    versions = tmp_path / "100% plain" / name / "migrations" / "versions"
    versions.mkdir(parents=True)
    before = None
    for revision, body in revisions.items():
        source = (
            f"from alembic import op\nrevision = {revision!r}\ndown_revision = {before!r}\n\n\n"
            f"def upgrade():\n{body}\n"
        )
        (versions / f"{revision}.py").write_text(source)
        before = revision
    (versions.parent.parent / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path / "100% plain"))
    return name


async def test_an_empty_database_becomes_a_full_one(empty_url: str) -> None:
    assert await current(empty_url) == {"approval": None, "push": None, "audit": None}
    await upgrade(empty_url, HERE)
    installed = await current(empty_url)
    assert {f"countersign_{schema}" for schema, revision in installed.items() if revision} == set(
        HERE
    )
    assert await ask(empty_url, "SELECT count(*) FROM approval.draft_transitions") == 14
    assert await ask(empty_url, "SELECT count(*) FROM push.outbox") == 0


async def test_the_second_run_changes_nothing(empty_url: str) -> None:
    await upgrade(empty_url, HERE)
    before = await ask(empty_url, "SELECT array_agg(oid ORDER BY oid) FROM pg_class")
    revisions = await current(empty_url)
    await upgrade(empty_url, HERE)
    assert await ask(empty_url, "SELECT array_agg(oid ORDER BY oid) FROM pg_class") == before
    assert await current(empty_url) == revisions


async def test_five_at_once_end_as_one_would(empty_url: str) -> None:
    await asyncio.gather(*(upgrade(empty_url, HERE) for _ in range(5)))
    assert await ask(empty_url, "SELECT count(*) FROM push.alembic_version") == 1


async def test_databases_of_one_server_can_be_migrated_at_once(postgres: PostgresServer) -> None:
    """Roles belong to the server: two migrations may want to make the same one."""
    with PostgresServer(fsync=False) as fresh:
        admin = await asyncpg.connect(fresh.url)
        for number in range(4):
            await admin.execute(f"CREATE DATABASE d{number}")
        await admin.close()
        urls = [fresh.url_for(f"d{number}") for number in range(4)]
        await asyncio.gather(*(upgrade(url, HERE) for url in urls))
        for url in urls:
            assert (await current(url))["push"] is not None


async def test_the_newest_postgresql_takes_the_same_migrations() -> None:
    with PostgresServer(18, fsync=False) as newest:
        await upgrade(newest.url, HERE)
        assert (await current(newest.url))["push"] is not None


@pytest.mark.parametrize("role", ["approval", "push", "audit"])
async def test_a_service_role_logs_in_and_makes_nothing(
    postgres: PostgresServer, empty_url: str, role: str
) -> None:
    await upgrade(empty_url, HERE)
    connection = await asyncpg.connect(empty_url.replace("postgres@", f"countersign_{role}@"))
    try:
        for place in ("public", "approval", "push"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(f"CREATE TABLE {place}.mine (id int)")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("CREATE SCHEMA mine")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("CREATE TEMPORARY TABLE mine (id int)")
    finally:
        await connection.close()


async def test_a_role_of_somebody_else_cannot_connect(
    postgres: PostgresServer, empty_url: str
) -> None:
    await upgrade(empty_url, HERE)
    admin = await asyncpg.connect(postgres.url)
    await admin.execute("CREATE ROLE stranger LOGIN")
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(empty_url.replace("postgres@", "stranger@"))
    finally:
        await admin.execute("DROP ROLE stranger")
        await admin.close()


async def test_passwords_are_set_for_the_roles_that_are_named_whatever_they_hold(
    empty_url: str,
) -> None:
    stored = "SELECT rolpassword FROM pg_authid WHERE rolname = $1"
    await upgrade(empty_url, (), passwords={"countersign_push": "it's a \\ $$ % 'secret'"})
    password = await ask(empty_url, stored, "countersign_push")
    assert str(password).startswith("SCRAM-SHA-256$")
    assert await ask(empty_url, stored, "countersign_audit") is None
    await upgrade(empty_url, ())
    assert await ask(empty_url, stored, "countersign_push") == password


async def test_a_password_for_a_role_that_is_no_services_is_refused(empty_url: str) -> None:
    with pytest.raises(ValueError, match="not a service role: postgres"):
        await upgrade(empty_url, (), passwords={"postgres": "x"})


async def test_a_package_that_is_asked_for_and_missing_is_an_error_before_anything_happens(
    empty_url: str,
) -> None:
    with pytest.raises(ModuleNotFoundError, match="countersign_nowhere is not installed"):
        await upgrade(empty_url, (*HERE, "countersign_nowhere"))
    assert await ask(empty_url, "SELECT to_regnamespace('approval')") is None


async def test_a_database_that_is_away_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        await upgrade("postgresql://postgres@127.0.0.1:1/postgres", HERE)


async def test_a_script_of_many_statements_runs_as_it_is_written(
    empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = (
        "CREATE TABLE {0}.notes (body text DEFAULT '100% :sure');\n"
        "-- a remark; with a semicolon\n"
        "CREATE FUNCTION {0}.f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 7 % 4; END $$;\n"
        "INSERT INTO {0}.notes DEFAULT VALUES;\n"
    )
    name = package_with(
        tmp_path,
        monkeypatch,
        first="    schema = __file__.split('/')[-4].removeprefix('countersign_')\n"
        f"    op.execute({script!r}.format(schema))",
    )
    schema = name.removeprefix("countersign_")
    await upgrade(empty_url, (name,))
    assert await ask(empty_url, f"SELECT body FROM {schema}.notes") == "100% :sure"
    assert await ask(empty_url, f"SELECT {schema}.f()") == 3


async def test_a_migration_that_fails_leaves_the_ones_before_it_and_can_be_run_again(
    empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = package_with(
        tmp_path,
        monkeypatch,
        one="    op.execute('CREATE TABLE public.one (id int)')",
        two="    op.execute('CREATE TABLE public.two (id int)')\n    op.execute('SELECT 1 / 0')",
    )
    schema = name.removeprefix("countersign_")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await upgrade(empty_url, (name,))
    assert await ask(empty_url, f"SELECT version_num FROM {schema}.alembic_version") == "one"
    assert await ask(empty_url, "SELECT to_regclass('public.two')") is None
    broken = next(Path(sys.path[0]).rglob("two.py"))
    # Of another length: within one second Python tells a module from its compiled one by that.
    broken.write_text(broken.read_text().replace("1 / 0", "1 / 100"))
    await upgrade(empty_url, (name,))
    assert await ask(empty_url, f"SELECT version_num FROM {schema}.alembic_version") == "two"


async def test_an_index_can_be_made_without_locking_the_table(
    empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CONCURRENTLY refuses to run in a transaction; autocommit_block steps out of it."""
    name = package_with(
        tmp_path,
        monkeypatch,
        one="    op.execute('CREATE TABLE public.big (id int)')",
        two="    with op.get_context().autocommit_block():\n"
        "        op.execute('CREATE INDEX CONCURRENTLY big_by_id ON public.big (id)')",
    )
    await upgrade(empty_url, (name,))
    assert await ask(empty_url, "SELECT to_regclass('public.big_by_id') IS NOT NULL")


def test_what_is_run_can_be_read_as_sql() -> None:
    statements = statements_to_head("countersign_push", None)
    assert statements[0].strip() == "BEGIN;"
    assert statements[-1].strip() == "COMMIT;"
    assert any("CREATE TABLE push.exports" in statement for statement in statements)
