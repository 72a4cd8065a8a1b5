"""How people sign in to the console, and that the sign-in of a development machine stays there."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from countersign_core.roles import Role
from countersign_gateway.bootstrap import build
from countersign_platform.auth.identity import Identity
from countersign_platform.auth.jwks import JwksSource
from countersign_platform.auth.verifier import TokenVerifier
from countersign_platform.testing.tokens import TestTokens


@pytest.fixture
def console(tmp_path: Path) -> Path:
    folder = tmp_path / "console"
    folder.mkdir()
    (folder / "index.html").write_text("<!doctype html><title>Console</title>")
    return folder


@pytest.fixture
def signing_key(tokens: TestTokens) -> Path:
    return Path(tokens.jwks).with_name("signing-key.pem")


@pytest.fixture
async def development(
    gateway_settings: Any, console: Path, signing_key: Path
) -> AsyncIterator[httpx.AsyncClient]:
    settings = gateway_settings(console_folder=console, development_signing_key=signing_key)
    service = await build(settings)
    await service.start()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{service.port}") as client:
        yield client
    await service.stop()


async def _identity(tokens: TestTokens, token: str) -> Identity:
    verifier = TokenVerifier(JwksSource(tokens.jwks), "countersign", "countersign", ("EdDSA",))
    return await verifier.verify(token)


async def test_without_the_setting_there_is_no_development_sign_in(
    anonymous: httpx.AsyncClient,
) -> None:
    """`anonymous` speaks to a gateway that serves a console and has no such key."""
    assert (await anonymous.get("/console/config.json")).json() == {"sign_in": "none"}
    answer = await anonymous.post("/console/sign-in", json={"roles": ["ADMIN"]})
    assert answer.status_code in {404, 405}
    assert "access_token" not in answer.text


async def test_development_sign_in_makes_whoever_one_asks_for(
    development: httpx.AsyncClient, tokens: TestTokens
) -> None:
    assert (await development.get("/console/config.json")).json()["sign_in"] == "development"
    org = "5c0ffee0-0000-4000-8000-00000000000a"
    wanted = {"subject": "olga", "org_id": org, "org_slug": "acme", "roles": ["VIEWER"]}
    answer = await development.post("/console/sign-in", json=wanted)
    assert answer.status_code == 200, answer.text
    identity = await _identity(tokens, answer.json()["access_token"])
    assert (str(identity.org_id), identity.subject) == (org, "olga")
    assert identity.roles == {Role.VIEWER}


@pytest.mark.parametrize("role", ["WORKER", "RELAY", "OWNER"])
async def test_development_sign_in_makes_no_service_and_no_unknown_role(
    development: httpx.AsyncClient, role: str
) -> None:
    answer = await development.post("/console/sign-in", json={"roles": [role]})
    assert answer.status_code == 400, answer.text


async def test_development_sign_in_refuses_pages_of_other_names(
    development: httpx.AsyncClient,
) -> None:
    """A foreign page whose name was made to point at this machine gets no token."""
    answer = await development.post(
        "/console/sign-in", json={}, headers={"Host": "evil.example:8080"}
    )
    assert answer.status_code == 404
    forged = await development.post(
        "/console/sign-in", content="{}", headers={"Content-Type": "text/plain"}
    )
    assert forged.status_code == 415


@pytest.mark.parametrize("listen", ["0.0.0.0:8080", "10.1.2.3:8080", "[::]:8080", "gateway:8080"])
def test_development_sign_in_is_refused_where_others_can_reach_it(
    gateway_settings: Any, signing_key: Path, listen: str
) -> None:
    with pytest.raises(ValidationError, match="loopback"):
        gateway_settings(listen=listen, development_signing_key=signing_key)


def test_development_sign_in_is_refused_beside_a_provider(
    gateway_settings: Any, signing_key: Path
) -> None:
    with pytest.raises(ValidationError, match="set one of them"):
        gateway_settings(
            development_signing_key=signing_key, console_oidc_authority="https://login.example"
        )


async def test_console_is_told_of_its_provider_and_may_talk_to_it_alone(
    gateway_settings: Any, console: Path
) -> None:
    authority = "https://login.example:8443/realms/acme"
    service = await build(
        gateway_settings(console_folder=console, console_oidc_authority=authority)
    )
    await service.start()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{service.port}") as client:
        config = (await client.get("/console/config.json")).json()
        page = await client.get("/console/")
    await service.stop()
    assert config == {
        "sign_in": "oidc",
        "authority": authority,
        "client_id": "countersign-console",
        "scope": "openid profile",
    }
    policy = page.headers["Content-Security-Policy"]
    assert "connect-src 'self' https://login.example:8443;" in policy
    assert policy.count("https://") == 1
    assert "unsafe" not in policy
