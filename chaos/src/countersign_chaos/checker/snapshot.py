"""Reads everything that the public API says of an org."""

from typing import Any

from countersign_chaos.checker.evidence import OrgEvidence, Row
from countersign_chaos.clients.act import Act
from countersign_chaos.clients.rest import RestApi

_PAGE = 500


async def read_org(rest: RestApi, admin: Act) -> OrgEvidence:
    """Drafts, exports, the trail and its verdict; as `admin`.

    Raises:
        aiohttp.ClientError, TimeoutError: the API does not answer.
    """
    return OrgEvidence(
        drafts=await _pages(rest, admin, "/draft-orders", "drafts"),
        exports=await _pages(rest, admin, "/erp-exports", "exports"),
        events=await _pages(rest, admin, "/audit-log", "events"),
        verdict=await rest.read(admin, "/audit-log/verify"),
    )


async def count(rest: RestApi, admin: Act, path: str, member: str, **query: Any) -> int:
    """How many rows the first page has."""
    page = await rest.read(admin, path, page_size=1, **query)
    return len(page[member])


async def _pages(rest: RestApi, admin: Act, path: str, member: str) -> list[Row]:
    rows: list[Row] = []
    token = ""
    while True:
        query = {"page_size": _PAGE} | ({"page_token": token} if token else {})
        page = await rest.read(admin, path, **query)
        rows += page[member]
        token = page["next_page_token"] or ""
        if not token:
            return rows
