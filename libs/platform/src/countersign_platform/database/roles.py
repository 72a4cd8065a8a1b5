"""Schemas and the roles that the services log in with: made before any migration runs."""

from collections.abc import Iterable, Mapping

import asyncpg

ROLES = ("countersign_approval", "countersign_push", "countersign_audit")

# Roles belong to the whole cluster: another database's migration may make them at this moment.
_CREATE_ROLE = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = '{role}') THEN
        CREATE ROLE {role} LOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$
"""

# PostgreSQL 14 and older let everyone create tables in public, and every version lets everyone
# connect. Whoever migrates without owning the database or public leaves both as they are.
_CLOSE_DATABASE = """
DO $$ BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO {roles}', current_database());
    REVOKE ALL ON SCHEMA public FROM PUBLIC;
EXCEPTION WHEN insufficient_privilege THEN NULL;
END $$
"""


async def ensure_roles(connection: asyncpg.Connection, passwords: Mapping[str, str]) -> None:
    """Make the service roles that are missing; set the passwords that are given.

    Raises:
        ValueError: a password for a role that is not a service's.
    """
    if unknown := passwords.keys() - set(ROLES):
        raise ValueError(f"not a service role: {', '.join(sorted(unknown))}")
    for role in ROLES:
        await connection.execute(_CREATE_ROLE.format(role=role))
    for role, password in passwords.items():
        literal = await connection.fetchval("SELECT quote_literal($1::text)", password)
        await connection.execute(f"ALTER ROLE {role} PASSWORD {literal}")
    await connection.execute(_CLOSE_DATABASE.format(roles=", ".join(ROLES)))


async def ensure_schemas(connection: asyncpg.Connection, schemas: Iterable[str]) -> None:
    """Make the schemas that are missing; the migrating role owns them."""
    for schema in schemas:
        if not await connection.fetchval("SELECT to_regnamespace($1) IS NOT NULL", schema):
            await connection.execute(f"CREATE SCHEMA {schema}")
