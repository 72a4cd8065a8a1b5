"""What browsers load: Swagger UI and the console, from this process alone."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError


async def test_docs_load_everything_from_here(anonymous: httpx.AsyncClient) -> None:
    page = await anonymous.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "default-src 'none'" in policy
    assert "<script>" not in page.text
    linked = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert linked
    for link in linked:
        assert not link.startswith(("http", "//"))
        asset = await anonymous.get(f"/{link}")
        assert asset.status_code == 200, link
        assert asset.headers["X-Content-Type-Options"] == "nosniff"


async def test_docs_use_the_current_major_of_swagger_ui(anonymous: httpx.AsyncClient) -> None:
    """Major 4 cannot read OpenAPI 3.1."""
    bundle = await anonymous.get("/docs/swagger-ui-bundle.js")
    assert re.search(r'PACKAGE_VERSION:"5\.\d+', bundle.text)


async def test_docs_serve_no_other_file(anonymous: httpx.AsyncClient) -> None:
    for name in ("__init__.py", "..%2fmain.py", "nothing.js"):
        assert (await anonymous.get(f"/docs/{name}")).status_code == 404


async def test_document_is_served_without_a_token(anonymous: httpx.AsyncClient) -> None:
    document = (await anonymous.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")


@pytest.mark.parametrize("path", ["/console/", "/console/index.html", "/console/drafts/42"])
async def test_console_answers_its_page_for_each_of_its_views(
    anonymous: httpx.AsyncClient, path: str
) -> None:
    answer = await anonymous.get(path)
    assert answer.status_code == 200
    assert "<title>Console</title>" in answer.text
    assert answer.headers["Cache-Control"] == "no-cache"
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]


async def test_console_assets_may_be_kept_for_ever(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get("/console/assets/app-1f2e.js")
    assert "immutable" in answer.headers["Cache-Control"]
    assert (await anonymous.get("/console/assets/gone.js")).status_code == 404


def test_console_folder_without_a_page_stops_the_start(
    gateway_settings: Any, tmp_path: Path
) -> None:
    with pytest.raises(ValidationError, match=r"index\.html"):
        gateway_settings(console_folder=tmp_path)
