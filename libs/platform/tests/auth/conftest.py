import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
import pytest

from countersign_platform.auth.jwks import JwksSource
from countersign_platform.auth.minting import SigningKey, create_signing_key, mint_token
from countersign_platform.auth.verifier import TokenVerifier


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class KeyServer:
    """Stands for the URL: hands out `body`, counts who asks, fails on demand."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        self.asked = 0
        self.down = False

    async def __call__(self, url: str) -> bytes:
        self.asked += 1
        if self.down:
            raise OSError("connection refused")
        return json.dumps({"keys": self.entries}).encode()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def key_server() -> KeyServer:
    return KeyServer()


@pytest.fixture
def signing_key(tmp_path: Path) -> SigningKey:
    return create_signing_key(tmp_path / "keys")


@pytest.fixture
def verifier(signing_key: SigningKey) -> TokenVerifier:
    return TokenVerifier(JwksSource(str(signing_key.jwks_file)), "countersign", "countersign")


@pytest.fixture
def mint(signing_key: SigningKey):
    """A good token of an operator; every claim can be given."""

    def _mint(**claims: Any) -> str:
        given = {"subject": "anna", "roles": ["OPERATOR"], "org_id": uuid4(), **claims}
        return mint_token(signing_key, **given)

    return _mint


@pytest.fixture
def forge(signing_key: SigningKey):
    """A token with these claims and headers under the real key, whatever they are."""

    def _forge(claims: dict[str, Any], headers: dict[str, Any] | None = None) -> str:
        return jwt.encode(
            claims,
            signing_key.private_key,
            algorithm="EdDSA",
            headers={"kid": signing_key.kid, **(headers or {})},
        )

    return _forge
