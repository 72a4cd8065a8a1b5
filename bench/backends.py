"""A broker and a Redis for the length of a benchmark."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from countersign_platform.testing.rabbit_server import RabbitServer
from countersign_platform.testing.redis_server import RedisServer


@dataclass(frozen=True, slots=True)
class Backends:
    """Where they answer, and their processes by name."""

    broker_url: str
    redis_url: str
    pids: Mapping[str, int]


@asynccontextmanager
async def running_backends() -> AsyncIterator[Backends]:
    """RabbitMQ and Redis on free ports, empty; removed at the end."""
    rabbit, redis = RabbitServer(), RedisServer()
    try:
        await asyncio.to_thread(rabbit.start)
        await asyncio.to_thread(redis.start)
        yield Backends(rabbit.url, redis.url, {"rabbitmq": rabbit.pid, "redis": redis.pid})
    finally:
        await asyncio.to_thread(redis.close)
        await asyncio.to_thread(rabbit.close)
