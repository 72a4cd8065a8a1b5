"""The keys that tokens are verified with: a JSON Web Key Set in a file or behind a URL.

Keys change without a restart. The last good set stays in use while a new one cannot be had,
and an unknown `kid` cannot be used to make us hammer the server that publishes the set.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from pathlib import Path

import aiohttp
import structlog

from countersign_core.errors import Unavailable
from countersign_platform.auth.verification_key import VerificationKey, parse_key_set

FETCH_TIMEOUT_SECONDS = 5.0
MAX_SET_BYTES = 1 << 20
_MAX_UNKNOWN_KIDS = 1024

Fetch = Callable[[str], Awaitable[bytes]]
KeySet = Mapping[str, VerificationKey]

_log = structlog.get_logger(__name__)


class JwksSource:
    """The current key set of one location.

    A file is looked at once a second and read when it changed. A URL is fetched every
    `max_age_seconds`, and earlier when a token names a key that is not in the set: once per
    `cooldown_seconds` at the most, and for one such name not again for
    `unknown_seconds`.
    """

    def __init__(
        self,
        location: str,
        *,
        cooldown_seconds: float = 30.0,
        max_age_seconds: float = 300.0,
        unknown_seconds: float = 120.0,
        clock: Callable[[], float] = time.monotonic,
        fetch: Fetch | None = None,
    ) -> None:
        self._location = location
        self._is_url = location.startswith(("http://", "https://"))
        self._cooldown = cooldown_seconds
        self._max_age = max_age_seconds if self._is_url else 1.0
        self._unknown_seconds = unknown_seconds
        self._clock = clock
        self._fetch = fetch or _fetch
        self._keys: KeySet | None = None
        self._fresh_until = float("-inf")
        self._asked_at = float("-inf")
        self._unknown: dict[str, float] = {}
        self._stamp: tuple[int, int, int] | None = None
        self._refreshing: asyncio.Task[None] | None = None

    async def keys(self) -> KeySet:
        """The current set by kid; the same object for as long as it did not change.

        Raises:
            Unavailable: no set could be read yet.
        """
        if self._keys is None:
            if self._clock() - self._asked_at >= min(self._cooldown, 1.0):
                await self._refresh()
        elif self._clock() >= self._fresh_until:
            await self._renew()
        if self._keys is None:
            raise Unavailable("The keys that tokens are verified with cannot be read")
        return self._keys

    async def find(self, kid: str) -> VerificationKey | None:
        """The key of that name, looking again for it where that is due."""
        keys = await self.keys()
        key = keys.get(kid)
        if key is None and self._may_ask_for(kid):
            await self._refresh()
            key = (self._keys or {}).get(kid)
            if key is None:
                self._remember_unknown(kid)
        return key

    async def _renew(self) -> None:
        """A file is read at once; a URL in the background, while the old set serves."""
        if not self._is_url:
            await self._refresh()
        elif self._refreshing is None:
            self._refreshing = asyncio.create_task(self._load())
            self._refreshing.add_done_callback(self._forget_task)

    async def _refresh(self) -> None:
        """Loads the set; callers that come meanwhile wait for the same load."""
        if self._refreshing is None:
            self._refreshing = asyncio.create_task(self._load())
            self._refreshing.add_done_callback(self._forget_task)
        await asyncio.shield(self._refreshing)

    def _forget_task(self, _task: asyncio.Task[None]) -> None:
        self._refreshing = None

    async def _load(self) -> None:
        self._asked_at = self._clock()
        self._fresh_until = self._asked_at + self._max_age
        try:
            await self._load_url() if self._is_url else self._load_file()
        except (OSError, ValueError, TimeoutError, aiohttp.ClientError) as error:
            # A URL that failed is tried again after the cool-down, not after max_age.
            self._fresh_until = self._asked_at + min(self._max_age, self._cooldown)
            _log.warning("jwks_refresh_failed", location=self._location, error=str(error))

    async def _load_url(self) -> None:
        self._accept(parse_key_set(json.loads(await self._fetch(self._location))))

    def _load_file(self) -> None:
        path = Path(self._location)
        status = path.stat()
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        if stamp != self._stamp:
            self._accept(parse_key_set(json.loads(path.read_bytes())))
            self._stamp = stamp

    def _accept(self, keys: KeySet) -> None:
        if keys != self._keys:
            self._keys = keys
            self._unknown.clear()
            _log.info("jwks_loaded", location=self._location, kids=sorted(keys))

    def _may_ask_for(self, kid: str) -> bool:
        if not self._is_url:
            return True  # looking at a file costs a stat
        now = self._clock()
        if now - self._asked_at < self._cooldown:
            return False
        return self._unknown.get(kid, float("-inf")) <= now

    def _remember_unknown(self, kid: str) -> None:
        if len(self._unknown) >= _MAX_UNKNOWN_KIDS:
            del self._unknown[next(iter(self._unknown))]
        self._unknown[kid] = self._clock() + self._unknown_seconds


async def _fetch(url: str) -> bytes:
    timeout = aiohttp.ClientTimeout(total=FETCH_TIMEOUT_SECONDS)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.get(url, allow_redirects=False) as response,
    ):
        if response.status != HTTPStatus.OK:
            raise ValueError(f"status {response.status}")
        body = await response.content.read(MAX_SET_BYTES + 1)
    if len(body) > MAX_SET_BYTES:
        raise ValueError(f"larger than {MAX_SET_BYTES} bytes")
    return body
