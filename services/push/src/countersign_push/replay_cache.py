"""Redis as a memory of final answers: it saves a query per replay, and nothing depends on it.

Kept are ACKED and FAILED only. SENT is not final (an ack may still come), PENDING even less.
An answer is bound to the request's fingerprint and lives no longer than its key. Whatever
Redis does, the call goes on: an error or a slow answer counts as "not known", and after one
Redis is left alone for a while.
"""

import asyncio
import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Self
from uuid import UUID

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from countersign_core.lifecycle import ExportStatus
from countersign_push.metrics import REPLAY_CACHE_FAILURES
from countersign_push.ports import FinalReplay, KeyScope
from countersign_push.shared_reads import SharedReads, Values

PAUSE_SECONDS = 5.0

_log = structlog.get_logger(__name__)


class RedisReplayCache:
    """Final answers in Redis, under a key that no tenant can forge for another."""

    def __init__(
        self,
        redis: Redis,
        timeout_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`timeout_seconds` bounds one exchange, connecting included; `clock` is monotonic."""
        self._redis = redis
        self._timeout = timeout_seconds
        self._clock = clock
        self._reads = SharedReads(self._read)
        self._paused_until = float("-inf")

    @classmethod
    def connect(cls, url: str, timeout_seconds: float) -> Self:
        """Over a pool that connects when it is first used; one try per exchange."""
        redis = Redis.from_url(
            url,
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            retry=Retry(NoBackoff(), 0),
        )
        return cls(redis, timeout_seconds)

    async def close(self) -> None:
        """Closes the connections."""
        await self._redis.aclose()

    async def look_up(
        self, scope: KeyScope, draft_ids: Sequence[UUID]
    ) -> Mapping[UUID, FinalReplay]:
        """What is known, by draft; nothing while Redis is away."""
        if self._clock() < self._paused_until:
            return {}
        try:
            async with asyncio.timeout(self._timeout):
                values = await self._reads.get([_name(scope, draft) for draft in draft_ids])
            found = zip(draft_ids, values, strict=True)
            return {draft: _parse(value) for draft, value in found if value is not None}
        except (RedisError, OSError, TimeoutError, ValueError, KeyError) as error:
            self._pause(error)
            return {}

    async def keep(
        self, scope: KeyScope, draft_id: UUID, replay: FinalReplay, lifetime_seconds: float
    ) -> None:
        """Keeps one answer; does nothing while Redis is away."""
        milliseconds = int(lifetime_seconds * 1000)
        if self._clock() < self._paused_until or milliseconds <= 0:
            return
        try:
            async with asyncio.timeout(self._timeout):
                await self._redis.set(_name(scope, draft_id), _text(replay), px=milliseconds)
        except (RedisError, OSError, TimeoutError) as error:
            self._pause(error)

    async def _read(self, names: list[str]) -> Values:
        async with asyncio.timeout(self._timeout):
            return await self._redis.mget(names)

    def _pause(self, error: Exception) -> None:
        if self._clock() < self._paused_until:
            return  # several waited for the same exchange
        self._paused_until = self._clock() + PAUSE_SECONDS
        REPLAY_CACHE_FAILURES.inc()
        _log.warning("replay_cache_paused", error=repr(error), seconds=PAUSE_SECONDS)


def _name(scope: KeyScope, draft_id: UUID) -> str:
    digest = hashlib.sha256(scope.key.encode()).hexdigest()
    return f"countersign:replay:{scope.org_id}:{draft_id}:{scope.operation}:{digest}"


def _text(replay: FinalReplay) -> str:
    return json.dumps(
        {
            "export_id": str(replay.export_id),
            "status": replay.status,
            "request_sha256": replay.request_sha256.hex(),
        }
    )


def _parse(value: bytes | str) -> FinalReplay:
    stored = json.loads(value)
    return FinalReplay(
        export_id=UUID(stored["export_id"]),
        status=ExportStatus(stored["status"]),
        request_sha256=bytes.fromhex(stored["request_sha256"]),
    )
