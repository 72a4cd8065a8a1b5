"""What the console asks before anyone has signed in, and the sign-in of a development machine."""

from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import Field
from starlette.exceptions import HTTPException

from countersign_core.errors import FieldError, InvalidRequest
from countersign_core.roles import SERVICE_ROLES, Role
from countersign_gateway.bodies.fields import Body, QueryText
from countersign_gateway.lean_input import optional_body
from countersign_gateway.replies.responses import json_response
from countersign_gateway.settings import GatewaySettings
from countersign_platform.auth.minting import SigningKey, load_signing_key, mint_token

_TOKEN_SECONDS = 3600
# A name that resolves to this machine may belong to a page of someone else's.
_LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
_LOCAL_ORG = {"id": "00000000-0000-4000-8000-000000000001", "slug": "local"}

_Name = Annotated[QueryText, Field(min_length=1, max_length=100)]


class SignInBody(Body):
    """Who to be. Everything has a default, as an empty body means: the stack's administrator."""

    subject: _Name = "local-admin"
    """The token's subject."""
    org_id: UUID = UUID(_LOCAL_ORG["id"])
    org_slug: _Name = _LOCAL_ORG["slug"]
    """Short name of the org in exports."""
    roles: list[Role] = Field(default=[Role.ADMIN], min_length=1, max_length=10)


def console_router(settings: GatewaySettings) -> APIRouter:
    """`/console/config.json`, and the development sign-in where the settings ask for it."""
    router = APIRouter(include_in_schema=False)
    config = _config(settings)

    @router.get("/console/config.json")
    async def console_config() -> Response:
        return json_response(config, headers={"Cache-Control": "no-cache"})

    if settings.development_signing_key is not None:
        _add_sign_in(router, settings, settings.development_signing_key)
    return router


def _config(settings: GatewaySettings) -> dict[str, Any]:
    if settings.development_signing_key is not None:
        return {"sign_in": "development", "orgs": [_LOCAL_ORG]}
    if settings.console_oidc_authority is None:
        return {"sign_in": "none"}
    return {
        "sign_in": "oidc",
        "authority": settings.console_oidc_authority,
        "client_id": settings.console_oidc_client_id,
        "scope": settings.console_oidc_scope,
    }


def _add_sign_in(router: APIRouter, settings: GatewaySettings, key_file: Path) -> None:
    key = load_signing_key(key_file)

    @router.post("/console/sign-in")
    async def sign_in(request: Request) -> Response:
        _require_local_name(request)
        body = await optional_body(request, SignInBody)
        return json_response(_minted(settings, key, body))


def _minted(settings: GatewaySettings, key: SigningKey, body: SignInBody) -> dict[str, Any]:
    if SERVICE_ROLES & set(body.roles):
        raise InvalidRequest([FieldError("roles", "must be roles of people")])
    token = mint_token(
        key,
        subject=body.subject,
        roles=body.roles,
        org_id=body.org_id,
        org_slug=body.org_slug,
        lifetime_seconds=_TOKEN_SECONDS,
        issuer=settings.jwt_issuer,
        audience=settings.jwt_audience,
    )
    return {"access_token": token, "token_type": "Bearer", "expires_in": _TOKEN_SECONDS}


def _require_local_name(request: Request) -> None:
    host = request.headers.get("host", "")
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    if name not in _LOCAL_NAMES:
        raise HTTPException(404)
