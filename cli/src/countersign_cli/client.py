"""The REST API, as the command line uses it."""

import os
from typing import Any
from uuid import UUID

import httpx

from countersign_cli.stack.keys import mint
from countersign_cli.stack.layout import Layout, default_layout
from countersign_core.roles import Role

URL_VARIABLE = "COUNTERSIGN_URL"
TOKEN_VARIABLE = "COUNTERSIGN_TOKEN"  # noqa: S105 — the variable's name
DEFAULT_URL = "http://127.0.0.1:8080"
# The org of the one-machine stack, when no token says otherwise.
LOCAL_ORG = UUID("00000000-0000-4000-8000-000000000001")
LOCAL_TOKEN_SECONDS = 3600


class ApiError(Exception):
    """The API refused; carries the problem document."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(problem.get("detail") or problem.get("title") or f"HTTP {status}")
        self.status = status
        self.problem = problem


def api_url(layout: Layout | None = None) -> str:
    """COUNTERSIGN_URL, else where the local stack said it is, else the default port."""
    if URL_VARIABLE in os.environ:
        return os.environ[URL_VARIABLE]
    state = (layout or default_layout()).read_state()
    return str(state["url"]) if state else DEFAULT_URL


def api_token(layout: Layout | None = None) -> str:
    """COUNTERSIGN_TOKEN, else an administrator's token of the local stack's own key.

    Raises:
        ApiError: there is neither.
    """
    if TOKEN_VARIABLE in os.environ:
        return os.environ[TOKEN_VARIABLE]
    layout = layout or default_layout()
    if not (layout.keys / "jwks.json").exists():
        raise ApiError(401, {"detail": f"set {TOKEN_VARIABLE}, or run `countersign up` here first"})
    return mint(
        layout,
        subject="local-admin",
        roles=[Role.ADMIN],
        seconds=LOCAL_TOKEN_SECONDS,
        org_id=LOCAL_ORG,
        org_slug="local",
    )


def open_client(
    url: str | None = None, token: str | None = None, *, timeout: float = 30.0
) -> httpx.AsyncClient:
    """A client with address and token set."""
    return httpx.AsyncClient(
        base_url=url or api_url(),
        headers={"Authorization": f"Bearer {token or api_token()}"},
        timeout=timeout,
        limits=httpx.Limits(max_connections=64, max_keepalive_connections=64),
    )


async def call(
    client: httpx.AsyncClient,
    method: str,
    path: str,
    *,
    body: Any = None,
    params: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> httpx.Response:
    """One call; raises ApiError on anything but success."""
    try:
        response = await client.request(method, path, json=body, params=params, headers=headers)
    except httpx.TransportError as error:
        raise unreachable(client, error) from error
    if response.is_success:
        return response
    raise refusal_of(response)


def refusal_of(response: httpx.Response) -> ApiError:
    """The error of a response that is no success and was read."""
    return ApiError(response.status_code, _problem(response))


def unreachable(client: httpx.AsyncClient, error: httpx.TransportError) -> ApiError:
    """The error of a call without an answer, or with half of one."""
    detail = f"{client.base_url} does not answer: {type(error).__name__}"
    return ApiError(503, {"detail": detail})


def _problem(response: httpx.Response) -> dict[str, Any]:
    try:
        problem = response.json()
    except ValueError:
        return {"detail": f"HTTP {response.status_code}"}
    return problem if isinstance(problem, dict) else {"detail": str(problem)}
