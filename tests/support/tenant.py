"""One org of a system under test: its tokens, its clients, its dropzone."""

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import grpc
import httpx
from waiting import NO_TLS, PATIENCE_SECONDS, eventually

from countersign_core.roles import Role

if TYPE_CHECKING:
    from system import System

PAGE = 500


class Tenant:
    """One org: its tokens, its clients, its dropzone."""

    def __init__(self, system: "System", org: UUID) -> None:
        self.system = system
        self.org = org
        self.dropzone = system.folder / f"dropzone-{org}"
        self.dropzone.mkdir()
        self._clients: list[httpx.AsyncClient] = []
        self._channels: list[grpc.aio.Channel] = []
        self.http = self.client(Role.ADMIN)

    def client(
        self, *roles: Role, subject: str = "user-1", gateway: int = 1, **headers: str
    ) -> httpx.AsyncClient:
        token = self.system.token(self.org, *roles, subject=subject)
        client = httpx.AsyncClient(
            base_url=self.system.url(gateway),
            headers={"Authorization": f"Bearer {token}", **headers},
            timeout=60.0,
            verify=NO_TLS,
            limits=httpx.Limits(max_connections=64),
        )
        self._clients.append(client)
        return client

    def channel(self, kind: str) -> grpc.aio.Channel:
        channel = grpc.aio.insecure_channel(self.system.targets[kind])
        self._channels.append(channel)
        return channel

    def metadata(
        self, *roles: Role, subject: str = "user-1", **more: str
    ) -> tuple[tuple[str, str], ...]:
        token = self.system.token(self.org, *(roles or (Role.ADMIN,)), subject=subject)
        extra = tuple((name.replace("_", "-"), value) for name, value in more.items())
        return (("authorization", f"Bearer {token}"), *extra)

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()
        for channel in self._channels:
            await channel.close()

    async def connect(self) -> str:
        body = {
            "name": "folder",
            "connector_type": "DROPZONE_JSON_V1",
            "config": {"transport": "folder", "export_path": str(self.dropzone)},
        }
        answer = await self.http.post("/erp-connections", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def submit(self, **changes: Any) -> dict[str, Any]:
        answer = await self.http.post("/draft-orders", json=order(**changes))
        assert answer.status_code == 201, answer.text
        return answer.json()  # type: ignore[no-any-return]

    async def approved(self, **changes: Any) -> dict[str, Any]:
        draft = await self.submit(**changes)
        answer = await self.http.post(f"/draft-orders/{draft['id']}/approve")
        assert answer.status_code == 200, answer.text
        return draft

    async def approved_many(self, count: int) -> list[str]:
        drafts = await asyncio.gather(*(self.submit() for _ in range(count)))
        ids = [draft["id"] for draft in drafts]
        items = [{"draft_order_id": each} for each in ids]
        answer = await self.http.post("/draft-orders/batch-approve", json={"items": items})
        assert answer.status_code == 200, answer.text
        return ids

    async def push(self, draft_id: str, **headers: str) -> httpx.Response:
        return await self.http.post(f"/draft-orders/{draft_id}/push", headers=headers)

    async def draft(self, draft_id: str) -> dict[str, Any]:
        answer = await self.http.get(f"/draft-orders/{draft_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()  # type: ignore[no-any-return]

    async def wait_status(
        self, draft_id: str, status: str, seconds: float = PATIENCE_SECONDS
    ) -> dict[str, Any]:
        async def look() -> dict[str, Any] | None:
            draft = await self.draft(draft_id)
            return draft if draft["status"] == status else None

        return await eventually(look, seconds=seconds, what=f"{draft_id} is {status}")  # type: ignore[no-any-return]

    async def wait_all(self, status: str, count: int, seconds: float = PATIENCE_SECONDS) -> None:
        """Until `count` drafts of the org have this status."""

        async def look() -> bool:
            return len(await self.ids(status)) == count

        # Counting many is work for the very processes that are waited for.
        pause = min(0.05 + count / 200, 5.0)
        what = f"{count} drafts are {status}"
        await eventually(look, seconds=seconds, what=what, pause=pause)

    async def ids(self, status: str) -> list[str]:
        return [row["id"] for row in await self.pages("/draft-orders", "drafts", status=status)]

    async def pages(self, path: str, member: str, **params: Any) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        token = ""
        while True:
            query = params | {"page_size": PAGE} | ({"page_token": token} if token else {})
            answer = await self.http.get(path, params=query)
            assert answer.status_code == 200, answer.text
            rows += answer.json()[member]
            token = answer.json()["next_page_token"]
            if not token:
                return rows

    async def audit(self, **filters: Any) -> list[dict[str, Any]]:
        return await self.pages("/audit-log", "events", **filters)

    async def wait_audit(
        self, count: int, seconds: float = PATIENCE_SECONDS, **filters: Any
    ) -> list[dict[str, Any]]:
        """Until the trail has `count` events that fit; then all of them."""

        async def look() -> list[dict[str, Any]] | None:
            events = await self.audit(**filters)
            return events if len(events) >= count else None

        events = await eventually(look, seconds=seconds, what=f"{count} audit events {filters}")
        assert len(events) == count, [event["action"] for event in events]
        return events  # type: ignore[no-any-return]

    def files(self) -> list[Path]:
        """What the ERP can see: final names only."""
        return sorted(
            path for path in self.dropzone.iterdir() if path.name.startswith("sales_order_")
        )

    def documents(self) -> list[dict[str, Any]]:
        return [json.loads(path.read_text(), parse_float=str) for path in self.files()]


def order(**changes: Any) -> dict[str, Any]:
    """A submit body that comes out READY; `changes` replace its members."""
    body: dict[str, Any] = {
        "external_ref": f"ref-{uuid4().hex}",
        "customer": {"erp_customer_number": "12923", "name": "Spaceboy Gifts Ltd"},
        "header": {"external_order_number": "PO-1", "order_date": "2026-11-02", "currency": "GBP"},
        "lines": [
            {
                "line_no": 1,
                "internal_sku": "23256",
                "qty": "2",
                "uom": "ST",
                "unit_price": "4.15",
                "description": "CUTLERY",
            }
        ],
    }
    return body | changes
