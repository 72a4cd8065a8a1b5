"""The operator who looks after what went wrong: failed drafts, held exports."""

import asyncio
from collections.abc import Callable
from typing import Any

import aiohttp

from countersign_chaos.clients.act import Action
from countersign_chaos.clients.clerk import Clerk
from countersign_chaos.clients.rest import RestApi
from countersign_chaos.zones.zone import Zone

_LOOK_SECONDS = 3.0
_PAGE = 50
# Of what failed, so much is tried again; the rest is left as it is.
_RETRIED = 0.8
# Of what is held and lies in the dropzone, so much is settled by hand.
_RESOLVED = 0.3


class Supervisor:
    """Looks every few seconds; as the org's administrator."""

    def __init__(
        self, zone: Zone, clerk: Clerk, rest: RestApi, has_appeared: Callable[[str], bool]
    ) -> None:
        """`has_appeared`: whether an export's file was seen, as an administrator could see it."""
        self._zone = zone
        self._clerk = clerk
        self._rest = rest
        self._has_appeared = has_appeared
        self._left: set[str] = set()
        self._keys = 0

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                await self._retry_failed()
                await self._settle_held()
            except (aiohttp.ClientError, TimeoutError, OSError):
                continue

    async def _retry_failed(self) -> None:
        for draft in await self._list("/draft-orders", "drafts", status="ERROR"):
            state = f"{draft['id']} {draft['version']}"
            if state in self._left:
                continue
            self._left.add(state)
            if self._clerk.chance.random() < _RETRIED:
                self._keys += 1
                act = self._clerk.act(
                    Action.RETRY, "admin", draft_id=draft["id"], key=f"retry-{self._keys}"
                )
                await self._clerk.ask(act)

    async def _settle_held(self) -> None:
        for export in await self._list("/erp-exports", "exports", held="true"):
            # What lies there may be called delivered. What does not lie there yet may still
            # appear once its server is back: no administrator calls that undelivered.
            seen = self._has_appeared(export["id"])
            if seen and self._clerk.chance.random() < _RESOLVED:
                body = {"delivered": True, "reason": "It lies in the dropzone."}
                act = self._clerk.act(
                    Action.RESOLVE,
                    "admin",
                    draft_id=export["draft_order_id"],
                    export_id=export["id"],
                    body=body,
                )
                await self._clerk.ask(act)

    async def _list(self, path: str, member: str, **query: Any) -> list[dict[str, Any]]:
        act = self._clerk.act(Action.PUSH, "admin")
        page = await self._rest.read(act, path, page_size=_PAGE, **query)
        rows: list[dict[str, Any]] = page[member]
        return rows
