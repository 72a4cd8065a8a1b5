"""Hot routes answer as the app's own routes would, and leave everything else to the app."""

import re

import httpx
import pytest
from fastapi import APIRouter
from prometheus_client import REGISTRY

from countersign_gateway.hot_routes import lean_routes
from countersign_gateway.route import LeanRoute


@pytest.mark.parametrize("act", ["approve", "push", "retry-push"])
async def test_another_method_on_a_hot_path_names_the_right_one(
    http: httpx.AsyncClient, draft_id: str, act: str
) -> None:
    answer = await http.get(f"/draft-orders/{draft_id}/{act}")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert answer.json()["code"] == "METHOD_NOT_ALLOWED"


@pytest.mark.parametrize("path", ["/draft-orders//push", "/draft-orders/x/y/push", "/x/1/push"])
async def test_what_only_looks_like_a_hot_path_is_not_there(
    http: httpx.AsyncClient, path: str
) -> None:
    answer = await http.post(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


async def test_a_hot_route_is_counted_under_its_template(
    http: httpx.AsyncClient, anonymous: httpx.AsyncClient, draft_id: str
) -> None:
    labels = {"route": "/draft-orders/{id}/push", "method": "POST", "status": "401"}
    before = REGISTRY.get_sample_value("countersign_http_seconds_count", labels) or 0
    answer = await anonymous.post(f"/draft-orders/{draft_id}/push")
    assert answer.status_code == 401
    assert answer.headers["x-request-id"] == answer.json()["request_id"]
    after = REGISTRY.get_sample_value("countersign_http_seconds_count", labels)
    assert after == before + 1


@pytest.mark.parametrize("path", ["/exports/cancel", "/draft-orders/{id}/lines/{line_no}"])
def test_a_lean_route_of_another_form_is_refused_at_the_start(path: str) -> None:
    router = APIRouter(route_class=LeanRoute)

    @router.post(path)
    async def cancel() -> None: ...

    with pytest.raises(TypeError, match=re.escape(path)):
        lean_routes(router.routes)
