"""An OpenID provider as small as one can be: authorization code with PKCE.

It knows one person, asks no question, and refuses whatever the protocol forbids.
"""

import base64
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlencode

import jwt
from aiohttp import web

Mint = Callable[[], str]


@dataclass
class OidcProvider:
    """Start it with `async with`; `url` is the issuer. `mint` makes the access tokens.

    `renews` says whether it gives refresh tokens, each good for one renewal.
    """

    client_id: str
    redirect_uri: str
    mint: Mint
    renews: bool = False
    visits: int = 0
    renewals: int = 0
    refused: list[str] = field(default_factory=list)
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)
    _refresh_tokens: set[str] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self._discovery)
        app.router.add_get("/authorize", self._authorize)
        app.router.add_post("/token", self._token)
        app.router.add_route("OPTIONS", "/{path:.*}", self._preflight)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _preflight(self, _request: web.Request) -> web.Response:
        return web.Response(headers=_CORS)

    async def _discovery(self, _request: web.Request) -> web.Response:
        document = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "response_types_supported": ["code"],
        }
        return web.json_response(document, headers=_CORS)

    async def _authorize(self, request: web.Request) -> web.Response:
        self.visits += 1
        asked = dict(request.query)
        wrong = self._wrong(asked)
        if wrong:
            self.refused.append(wrong)
            return web.Response(status=400, text=wrong)
        code = secrets.token_urlsafe()
        self._codes[code] = asked
        back = urlencode({"code": code, "state": asked["state"]})
        raise web.HTTPFound(f"{self.redirect_uri}?{back}")

    def _wrong(self, asked: dict[str, str]) -> str:
        expected = {
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "response_type": "code",
            "code_challenge_method": "S256",
        }
        return next((name for name, value in expected.items() if asked.get(name) != value), "")

    async def _token(self, request: web.Request) -> web.Response:
        given = {name: str(value) for name, value in (await request.post()).items()}
        if given.get("grant_type") == "refresh_token":
            return self._renewed(given)
        asked = self._codes.pop(given.get("code", ""), None)
        if asked is None or _challenge(given["code_verifier"]) != asked["code_challenge"]:
            self.refused.append("code_verifier")
            return web.json_response({"error": "invalid_grant"}, status=400, headers=_CORS)
        return web.json_response(self._tokens(asked), headers=_CORS)

    def _renewed(self, given: dict[str, str]) -> web.Response:
        if not self.renews or given["refresh_token"] not in self._refresh_tokens:
            self.refused.append("refresh_token")
            return web.json_response({"error": "invalid_grant"}, status=400, headers=_CORS)
        self._refresh_tokens.remove(given["refresh_token"])
        self.renewals += 1
        return web.json_response(self._tokens({}), headers=_CORS)

    def _tokens(self, asked: dict[str, str]) -> dict[str, Any]:
        claims = {"iss": self.url, "aud": self.client_id, "sub": "olga", "iat": 1, "exp": 2**33}
        if "nonce" in asked:
            claims["nonce"] = asked["nonce"]
        identity = jwt.encode(claims, secrets.token_bytes(32), algorithm="HS256")
        tokens = {
            "access_token": self.mint(),
            "id_token": identity,
            "token_type": "Bearer",
            "expires_in": 3600,
        }
        if self.renews:
            refresh = secrets.token_urlsafe()
            self._refresh_tokens.add(refresh)
            tokens["refresh_token"] = refresh
        return tokens


_CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*"}


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
