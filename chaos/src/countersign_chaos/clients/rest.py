"""Clients over HTTP, through the gateways."""

import asyncio
import random
from collections.abc import Callable
from typing import Any

import aiohttp

from countersign_chaos.clients.act import REFUSALS, Act, Action, Reply, Verdict

_ROUTES: dict[Action, tuple[str, Callable[[Act], str]]] = {
    Action.SUBMIT: ("POST", lambda _: "/draft-orders"),
    Action.EDIT: ("PATCH", lambda act: f"/draft-orders/{act.draft_id}/lines/1"),
    Action.APPROVE: ("POST", lambda act: f"/draft-orders/{act.draft_id}/approve"),
    Action.REVOKE: ("DELETE", lambda act: f"/draft-orders/{act.draft_id}/approval"),
    Action.REJECT: ("POST", lambda act: f"/draft-orders/{act.draft_id}/reject"),
    Action.PUSH: ("POST", lambda act: f"/draft-orders/{act.draft_id}/push"),
    Action.RETRY: ("POST", lambda act: f"/draft-orders/{act.draft_id}/retry-push"),
    Action.CANCEL: ("POST", lambda act: f"/erp-exports/{act.export_id}/cancel"),
    Action.EXPEDITE: ("POST", lambda act: f"/erp-exports/{act.export_id}/expedite"),
    Action.RESOLVE: ("POST", lambda act: f"/erp-exports/{act.export_id}/resolve"),
}

Authorize = Callable[[Act], str]


class RestApi:
    """One session for many clients; each call goes to a gateway by chance."""

    def __init__(self, urls: list[str], chance: random.Random, authorize: Authorize) -> None:
        """`authorize` answers the token of whoever acts."""
        self._urls = urls
        self._chance = chance
        self._authorize = authorize
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=128))

    async def close(self) -> None:
        """End every connection."""
        await self._session.close()

    def any_url(self) -> str:
        """Base URL of one of the gateways."""
        return self._chance.choice(self._urls)

    async def call(self, act: Act, patience: float) -> Reply:
        """Ask, and wait so many seconds for an answer."""
        method, route = _ROUTES[act.action]
        try:
            async with asyncio.timeout(patience):
                status, body = await self._send(method, route(act), act, act.body or None)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return Reply(Verdict.UNKNOWN, type(error).__name__)
        return _reply(act, status, body)

    async def batch(self, act: Act, drafts: list[str], patience: float) -> dict[str, Reply]:
        """Approve or push many; an answer for each."""
        body = {"items": [{"draft_order_id": each} for each in drafts]}
        path = f"/draft-orders/batch-{act.action}"
        try:
            async with asyncio.timeout(patience):
                status, answer = await self._send("POST", path, act, body)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return dict.fromkeys(drafts, Reply(Verdict.UNKNOWN, type(error).__name__))
        if status != 200:  # noqa: PLR2004 — the one status of a batch that was looked at
            return dict.fromkeys(drafts, _reply(act, status, answer))
        return {each["draft_order_id"]: _item(each) for each in answer["results"]}

    async def read(self, act: Act, path: str, **query: Any) -> Any:
        """GET it.

        Raises:
            aiohttp.ClientError: there was no good answer.
            TimeoutError: nor any.
        """
        async with asyncio.timeout(30):
            _, body = await self._send("GET", path, act, None, query, strict=True)
        return body

    async def create(self, act: Act, path: str, body: dict[str, Any]) -> Any:
        """POST it; raises as `read`."""
        async with asyncio.timeout(30):
            _, answer = await self._send("POST", path, act, body, strict=True)
        return answer

    async def _send(
        self,
        method: str,
        path: str,
        act: Act,
        body: dict[str, Any] | None,
        query: dict[str, Any] | None = None,
        *,
        strict: bool = False,
    ) -> tuple[int, Any]:
        headers = {
            "Authorization": f"Bearer {self._authorize(act)}",
            "X-Request-Id": act.request_id,
        }
        if act.key is not None:
            headers["Idempotency-Key"] = act.key
        if act.version is not None:
            headers["If-Match"] = f'"{act.version}"'
        url = self.any_url() + path
        async with self._session.request(
            method, url, json=body, params=query, headers=headers
        ) as answer:
            if strict:
                answer.raise_for_status()
            return answer.status, await answer.json(content_type=None)


def _reply(act: Act, status: int, body: Any) -> Reply:
    if status >= 400:  # noqa: PLR2004 — HTTP's own border
        verdict = Verdict.NO if status in REFUSALS else Verdict.UNKNOWN
        return _refused(verdict, body)
    if act.action in {Action.PUSH, Action.RETRY}:
        return _pushed(body, replayed=body["status"] != "PUSHING")
    return Reply(
        Verdict.YES,
        draft_id=body.get("draft_order_id") or body["id"],
        version=body.get("version"),
        status=body["status"],
        content_sha256=body.get("content_sha256") or "",
        created=body.get("created", True),
    )


def _item(result: dict[str, Any]) -> Reply:
    if not result["ok"]:
        status = result["problem"]["status"]
        verdict = Verdict.NO if status in REFUSALS else Verdict.UNKNOWN
        return _refused(verdict, result["problem"])
    if "erp_export_id" in result:
        return _pushed(result, replayed=result["replayed"])
    return Reply(Verdict.YES, version=result["version"], status=result["status"])


def _pushed(body: dict[str, Any], *, replayed: bool) -> Reply:
    return Reply(
        Verdict.YES, export_id=body["erp_export_id"], status=body["status"], replayed=replayed
    )


def _refused(verdict: Verdict, problem: Any) -> Reply:
    if not isinstance(problem, dict):
        return Reply(verdict)
    return Reply(
        verdict, str(problem.get("code", "")), export_id=str(problem.get("erp_export_id", ""))
    )
