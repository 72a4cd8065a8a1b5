"""Waits until everything that was promised is told."""

import asyncio

import asyncpg


async def until_told(database: asyncpg.Connection) -> None:
    """Returns when the broker and the audit trail have every act."""
    told = "SELECT EXISTS (SELECT FROM push.outbox) OR EXISTS (SELECT FROM approval.outbox)"
    while await database.fetchval(told):
        await asyncio.sleep(0.05)
